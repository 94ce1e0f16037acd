// SPDX-License-Identifier: GPL-2.0
/*
 * Privileges of the calling task. In-band, may sleep, but for the question itself.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/irq_pipeline.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/user_namespace.h>

#include "kapi/internal.h"

static const struct {
	enum kapi_capability bit;
	int cap;
} capabilities[] = {
	{ KAPI_CAP_SYS_NICE,	CAP_SYS_NICE },
	{ KAPI_CAP_IPC_LOCK,	CAP_IPC_LOCK },
	{ KAPI_CAP_SYS_RAWIO,	CAP_SYS_RAWIO },
	{ KAPI_CAP_SYS_ADMIN,	CAP_SYS_ADMIN },
};

static int to_cap(enum kapi_capability bit)
{
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(capabilities); n++)
		if (capabilities[n].bit == bit)
			return capabilities[n].cap;

	return CAP_LAST_CAP + 1;
}

/*
 * Out-of-band there is no asking of security modules, which lock and audit: only the set counts,
 * of a task in the initial user namespace. A task's own credentials need no protection.
 */
bool kapi_capable(enum kapi_capability capability)
{
	int cap = to_cap(capability);
	const struct cred *cred;

	if (WARN_ON_ONCE(!cap_valid(cap)))
		return false;

	if (running_inband())
		return capable(cap);

	cred = current_cred();

	return cred->user_ns == &init_user_ns && cap_raised(cred->cap_effective, cap);
}

int kapi_raise_capabilities(unsigned int wanted)
{
	unsigned int n, raised = 0;
	struct cred *cred;

	cred = prepare_creds();
	if (!cred)
		return -ENOMEM;

	for (n = 0; n < ARRAY_SIZE(capabilities); n++) {
		if (!(wanted & capabilities[n].bit) ||
		    cap_raised(cred->cap_effective, capabilities[n].cap))
			continue;
		cap_raise(cred->cap_effective, capabilities[n].cap);
		raised |= capabilities[n].bit;
	}

	if (!raised) {
		abort_creds(cred);
		return 0;
	}

	commit_creds(cred);

	return raised;
}

/* Without memory the task keeps what it has: it is told so in the log, it was trusted with it. */
void kapi_drop_capabilities(unsigned int raised)
{
	struct cred *cred;
	unsigned int n;

	if (!raised)
		return;

	cred = prepare_creds();
	if (!cred) {
		pr_warn_ratelimited("EVL: %s[%d] keeps capabilities, out of memory\n",
				    current->comm, task_pid_nr(current));
		return;
	}

	for (n = 0; n < ARRAY_SIZE(capabilities); n++)
		if (raised & capabilities[n].bit)
			cap_lower(cred->cap_effective, capabilities[n].cap);

	commit_creds(cred);
}
