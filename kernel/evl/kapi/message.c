// SPDX-License-Identifier: GPL-2.0
/*
 * Messages and failed assertions. Any stage, any interrupt state: the log of Linux may be written
 * from anywhere, in-band prints it later.
 */
#include <linux/bug.h>
#include <linux/hash.h>
#include <linux/irq_pipeline.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "kapi/internal.h"

/* At most so many messages of one kind in one window. */
#define BURST		10
#define WINDOW_NS	(5 * NSEC_PER_SEC)

/**
 * struct message_kind - how often a message was printed lately
 * @format:	which one; two that fall together share the limit
 * @since:	when the window began
 * @printed:	messages in the window
 */
struct message_kind {
	const char *format;
	u64 since;
	unsigned int printed;
};

#define KIND_BITS	5

static struct message_kind kinds[1 << KIND_BITS];
static DEFINE_HARD_SPINLOCK(kinds_lock);

static void print(enum kapi_severity severity, struct va_format *text)
{
	switch (severity) {
	case KAPI_ERROR:
		pr_err("EVL: %pV\n", text);
		break;
	case KAPI_WARNING:
		pr_warn("EVL: %pV\n", text);
		break;
	case KAPI_INFO:
		pr_info("EVL: %pV\n", text);
		break;
	}
}

/* Linux's rate limits take in-band locks. Cost: O(1), a short section with hard irqs off. */
static bool may_print(const char *format)
{
	struct message_kind *kind = &kinds[hash_ptr(format, KIND_BITS)];
	u64 now = ktime_get_mono_fast_ns();
	unsigned long flags;
	bool yes;

	raw_spin_lock_irqsave(&kinds_lock, flags);
	if (!kind->format || now - kind->since >= WINDOW_NS) {
		kind->format = format;
		kind->since = now;
		kind->printed = 0;
	}
	yes = kind->printed < BURST;
	kind->printed += yes;
	raw_spin_unlock_irqrestore(&kinds_lock, flags);

	return yes;
}

void kapi_print(enum kapi_severity severity, const char *format, ...)
{
	struct va_format text;
	va_list args;

	va_start(args, format);
	text.fmt = format;
	text.va = &args;
	print(severity, &text);
	va_end(args);
}

void kapi_print_ratelimited(enum kapi_severity severity, const char *format, ...)
{
	struct va_format text;
	va_list args;

	if (!may_print(format))
		return;

	va_start(args, format);
	text.fmt = format;
	text.va = &args;
	print(severity, &text);
	va_end(args);
}

long kapi_format(char *buf, size_t capacity, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vscnprintf(buf, capacity, format, args);
	va_end(args);

	return length;
}

void kapi_bug(const char *expression, const char *file, int line)
{
	irq_pipeline_oops();
	pr_emerg("EVL: assertion failed at %s:%d: %s\n", file, line, expression);
	BUG();
}

void kapi_warn(const char *what, const char *file, int line)
{
	WARN(1, "EVL: %s (%s:%d)\n", what, file, line);
}
