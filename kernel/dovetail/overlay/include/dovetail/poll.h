/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Default argument of file_operations.oob_poll(): none. A core puts a header
 * of this name earlier in the include path.
 */
#ifndef _DOVETAIL_POLL_H
#define _DOVETAIL_POLL_H

struct oob_poll_wait {
};

#endif /* !_DOVETAIL_POLL_H */
