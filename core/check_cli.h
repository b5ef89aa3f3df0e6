/* check_cli: `pelt check`: is a test file right? */
#ifndef CORE_CHECK_CLI_H
#define CORE_CHECK_CLI_H

/* Runs `pelt check ...`; `argv[0]` is "check". Returns the exit status: 0 when the file is right
 * (warnings or not), 1 when it is not or cannot be read, 64 for a wrong command line, 74 when what
 * is to be said cannot be written. */
int check_main(int argc, char **argv);

#endif
