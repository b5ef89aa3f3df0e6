/* cli_build: the steps from the words of the command line to a plan, in the order in which
 * cli_parse() takes them. Private to the command line (cli*.c). */
#ifndef CORE_CLI_BUILD_H
#define CORE_CLI_BUILD_H

#include "config/request.h"
#include "core/cli_options.h"

/* Makes room in `scratch` for what `words_max` words may hold; false when it refuses (cli.c). */
MUST_USE bool cli_words_init(struct cli_words *words, int words_max, struct arena *scratch);

/* All of the following steps, once the words have been read (cli.c). Failures as cli_parse(). */
MUST_USE enum err cli_build(struct cli_words *words, uint32_t cpus, struct arena *scratch,
                            struct err_info *why);

/* Takes the URLs apart, each once, weighs them, and makes the plan's targets of them, in the plan's
 * arena (cli_urls.c); `scratch` is for what is not needed afterwards. ERR_USAGE when there are
 * none or too many, one is wrong, or the weights are; ERR_MEMORY. */
MUST_USE enum err cli_build_urls(struct cli_words *words, struct arena *scratch,
                                 struct err_info *why);

/* Makes the plan's rate from the words, in the plan's arena (cli_rate.c); no-op without one.
 * ERR_USAGE when options contradict each other, want a rate that is not there, or no request
 * would be due; ERR_MEMORY. */
MUST_USE enum err cli_build_rate(struct cli_words *words, struct err_info *why);

/* Once the targets are there: how many threads there are unless given, and whether connections
 * suffice for both (cli_urls.c). ERR_USAGE when they do not. */
MUST_USE enum err cli_set_threads(struct cli_words *words, uint32_t cpus, struct err_info *why);

/* Makes the plan's net from the words, in its arena (cli_net.c); before the requests are built.
 * ERR_USAGE when one of them is wrong or options exclude each other; ERR_MEMORY. */
MUST_USE enum err cli_build_net(struct cli_words *words, struct err_info *why);

/* Makes the plan's TLS from the words, once connect_timeout_ns is known (cli_tls.c). ERR_USAGE when
 * one of them is wrong or options exclude each other. */
MUST_USE enum err cli_build_tls(struct cli_words *words, struct err_info *why);

/* Makes the plan's requests from the words, a request per URL, in the plan's arena (cli_request.c);
 * `scratch` as above. Failures as cli_parse(). */
MUST_USE enum err cli_build_requests(struct cli_words *words, struct arena *scratch,
                                     struct err_info *why);

/* Sets the body of all requests from the words, what of it is not in their bytes in the plan
 * (cli_body.c); `request` borrows from `scratch` and the plan. ERR_USAGE, ERR_FILE when it cannot
 * be read, ERR_MEMORY. */
MUST_USE enum err cli_build_body(struct cli_words *words, struct arena *scratch,
                                 struct plan_request_options *request, struct err_info *why);

/* ERR_USAGE when options about the body contradict each other, or there is none (cli_body.c). */
MUST_USE enum err cli_check_body(const struct cli_words *words, struct err_info *why);

/* Once all else is there: what a report in wrk's form says of the line, in the plan's arena
 * (cli_format.c); no-op for another. ERR_MEMORY. */
MUST_USE enum err cli_build_format(struct cli_words *words, struct err_info *why);

/* ERR_USAGE when options about the report's form contradict each other (cli_format.c). */
MUST_USE enum err cli_check_format(const struct cli_words *words, struct err_info *why);

/* Once the targets are there: ERR_USAGE when what was said of names is about none of them
 * (cli_net.c). */
MUST_USE enum err cli_check_names(const struct cli_words *words, struct err_info *why);

/* Once the targets are there: ERR_USAGE when options are about TLS and no target is. */
MUST_USE enum err cli_check_tls(const struct cli_words *words, struct err_info *why);

#endif
