#include "core/base/mailbox.h"

#include "core/base/check.h"

void mailbox_init(struct mailbox *box, struct mail *slots, uint32_t slots_count)
{
    CHECK(slots_count >= 2 && slots_count <= 65536);
    CHECK((slots_count & (slots_count - 1)) == 0);
    *box = (struct mailbox){.slots = slots, .mask = slots_count - 1};
}

bool mailbox_post(struct mailbox *box, struct mail mail)
{
    uint32_t posted = load_relaxed(&box->shared.posted);       /* Ours: no one else writes it. */
    uint32_t used = posted - load_acquire(&box->shared.taken); /* Right across the 2^32 wrap. */

    CHECK(used <= box->mask + 1);
    if (used == box->mask + 1) return false;
    box->slots[posted & box->mask] = mail;
    store_release(&box->shared.posted, posted + 1);
    return true;
}

bool mailbox_take(struct mailbox *box, struct mail *ret_mail)
{
    uint32_t taken = load_relaxed(&box->shared.taken);
    uint32_t used = load_acquire(&box->shared.posted) - taken;

    CHECK(used <= box->mask + 1);
    if (used == 0) return false;
    *ret_mail = box->slots[taken & box->mask];
    store_release(&box->shared.taken, taken + 1);
    return true;
}
