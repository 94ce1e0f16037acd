// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/toycore: a file with out-of-band operations, and the descriptors by
 * which threads get at such files.
 *
 * Out-of-band code cannot use the tables of Linux. The core keeps its own:
 * Dovetail tells of each descriptor that appears or goes away. A file lives as
 * long as somebody is inside one of its out-of-band operations: its release
 * sends the sleepers away and waits for the last one to be out.
 */
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

#define TOY_MAX_FDS	256

/**
 * struct toy_file - an open /dev/toycore
 * @pulses:	one token per value written
 * @value:	the last one
 * @inside:	threads in out-of-band operations
 * @closing:	no others get in
 * @drained:	from there to in-band
 * @gone:	the last one is out
 */
struct toy_file {
	struct toy_sem pulses;
	u64 value;
	unsigned int inside;
	bool closing;
	struct irq_work drained;
	struct completion gone;
};

/* Descriptors of files with out-of-band operations. Under toy_lock. */
static struct toy_fd {
	struct files_struct *files;
	unsigned int fd;
	struct file *filp;
} fds[TOY_MAX_FDS];

/* A slot is free if it has no file. Bound of the loop: TOY_MAX_FDS. */
static struct toy_fd *find_fd(struct files_struct *files, unsigned int fd)
{
	struct toy_fd *slot;

	for (slot = fds; slot < fds + TOY_MAX_FDS; slot++)
		if (slot->files == files && (!files || slot->fd == fd))
			return slot;

	return NULL;
}

/*
 * A new descriptor. There is nobody to report an error to: without a slot the
 * descriptor has no out-of-band operations.
 *
 * Context of these three: in-band, must not sleep; may be another process.
 */
void install_inband_fd(unsigned int fd, struct file *filp,
		       struct files_struct *files)
{
	struct toy_fd *slot;
	unsigned long flags;

	if (!filp->oob_data)
		return;

	raw_spin_lock_irqsave(&toy_lock, flags);
	slot = find_fd(NULL, 0);
	if (slot)
		*slot = (struct toy_fd){ files, fd, filp };
	raw_spin_unlock_irqrestore(&toy_lock, flags);
}

void uninstall_inband_fd(unsigned int fd, struct file *filp,
			 struct files_struct *files)
{
	struct toy_fd *slot;
	unsigned long flags;

	raw_spin_lock_irqsave(&toy_lock, flags);
	slot = find_fd(files, fd);
	if (slot)
		slot->files = NULL;
	raw_spin_unlock_irqrestore(&toy_lock, flags);
}

/* Another file behind an old number. */
void replace_inband_fd(unsigned int fd, struct file *filp,
		       struct files_struct *files)
{
	uninstall_inband_fd(fd, filp, files);
	install_inband_fd(fd, filp, files);
}

/* Enters a file. Return: NULL if the descriptor is not one of ours. */
static struct file *enter_file(unsigned int fd)
{
	struct file *filp = NULL;
	struct toy_file *file;
	unsigned long flags;
	struct toy_fd *slot;

	raw_spin_lock_irqsave(&toy_lock, flags);
	slot = current->files ? find_fd(current->files, fd) : NULL;
	file = slot ? slot->filp->oob_data : NULL;
	if (file && !file->closing) {
		filp = slot->filp;
		file->inside++;
	}
	raw_spin_unlock_irqrestore(&toy_lock, flags);

	return filp;
}

static void leave_file(struct file *filp)
{
	struct toy_file *file = filp->oob_data;
	unsigned long flags;

	raw_spin_lock_irqsave(&toy_lock, flags);
	if (!--file->inside && file->closing)
		irq_work_queue(&file->drained);
	raw_spin_unlock_irqrestore(&toy_lock, flags);
}

/*
 * toy_file_call - an out-of-band operation on a descriptor
 *
 * Context: out-of-band, attached.
 *
 * Return: what the operation returns; -EBADF if @fd has none; -EINVAL, -ENOTTY
 * if it has not this one.
 */
long toy_file_call(unsigned int nr, unsigned int fd, unsigned long a,
		   unsigned long b)
{
	const struct file_operations *op;
	struct file *filp;
	long ret;

	filp = enter_file(fd);
	if (!filp)
		return -EBADF;

	op = filp->f_op;
	if (nr == TOY_SYS_READ)
		ret = op->oob_read ?
			op->oob_read(filp, (char __user *)a, b) : -EINVAL;
	else if (nr == TOY_SYS_WRITE)
		ret = op->oob_write ?
			op->oob_write(filp, (const char __user *)a, b) : -EINVAL;
	else
		ret = op->oob_ioctl ? op->oob_ioctl(filp, a, b) : -ENOTTY;

	leave_file(filp);

	return ret;
}

/*
 * User memory, from either stage. A page that is not there takes the thread
 * in-band for a while: nothing may depend on the stage from here on.
 */
static int get_user_words(void *to, const void __user *from, size_t size)
{
	if (!access_ok(from, size) || raw_copy_from_user(to, from, size))
		return -EFAULT;

	return 0;
}

static int put_user_words(void __user *to, const void *from, size_t size)
{
	if (!access_ok(to, size) || raw_copy_to_user(to, from, size))
		return -EFAULT;

	return 0;
}

/* Waits for the next write. */
static ssize_t toy_oob_read(struct file *filp, char __user *buf, size_t size)
{
	struct toy_file *file = filp->oob_data;
	u64 value;
	int ret;

	if (size < sizeof(value))
		return -EINVAL;

	ret = toy_sem_wait(&file->pulses);
	if (ret)
		return ret == -EIDRM ? -EBADF : ret;

	value = READ_ONCE(file->value);

	return put_user_words(buf, &value, sizeof(value)) ?: sizeof(value);
}

static ssize_t toy_oob_write(struct file *filp, const char __user *buf,
			     size_t size)
{
	struct toy_file *file = filp->oob_data;
	u64 value;

	if (size != sizeof(value))
		return -EINVAL;
	if (get_user_words(&value, buf, sizeof(value)))
		return -EFAULT;

	WRITE_ONCE(file->value, value);
	toy_sem_post(&file->pulses);

	return sizeof(value);
}

/* The same on both stages. */
static long toy_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct toy_thread *t = toy_self();
	struct toy_stats stats;
	struct toy_echo echo;
	unsigned long flags;
	int n;

	switch (cmd) {
	case TOY_IOC_STATS:
		if (!t)
			return -EPERM;
		raw_spin_lock_irqsave(&toy_lock, flags);
		stats = t->stats;
		raw_spin_unlock_irqrestore(&toy_lock, flags);
		return put_user_words(user, &stats, sizeof(stats));
	case TOY_IOC_ECHO:
		if (get_user_words(&echo, user, sizeof(echo)))
			return -EFAULT;
		for (n = 0; n < ARRAY_SIZE(echo.word); n++)
			echo.word[n]++;
		return put_user_words(user, &echo, sizeof(echo));
	default:
		return -ENOTTY;
	}
}

/* In-band, hardirq context. */
static void tell_drained(struct irq_work *work)
{
	complete(&container_of(work, struct toy_file, drained)->gone);
}

static int toy_open(struct inode *inode, struct file *filp)
{
	struct toy_file *file;
	int ret;

	file = kzalloc(sizeof(*file), GFP_KERNEL);
	if (!file)
		return -ENOMEM;

	ret = toy_start();
	if (ret) {
		kfree(file);
		return ret;
	}

	toy_sem_init(&file->pulses);
	init_irq_work(&file->drained, tell_drained);
	init_completion(&file->gone);
	filp->oob_data = file;

	return 0;
}

/* No descriptor is left, so nobody comes in any more. */
static int toy_close(struct inode *inode, struct file *filp)
{
	struct toy_file *file = filp->oob_data;
	unsigned long flags;
	bool busy;

	raw_spin_lock_irqsave(&toy_lock, flags);
	file->closing = true;
	busy = file->inside;
	raw_spin_unlock_irqrestore(&toy_lock, flags);

	toy_sem_destroy(&file->pulses);
	if (busy)
		wait_for_completion(&file->gone);
	irq_work_sync(&file->drained);

	filp->oob_data = NULL;
	kfree(file);
	toy_stop();

	return 0;
}

static const struct file_operations toy_fops = {
	.owner		= THIS_MODULE,
	.open		= toy_open,
	.release	= toy_close,
	.unlocked_ioctl	= toy_ioctl,
	.oob_read	= toy_oob_read,
	.oob_write	= toy_oob_write,
	.oob_ioctl	= toy_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice toy_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "toycore",
	.fops	= &toy_fops,
	.mode	= 0600,
};
builtin_misc_device(toy_device);
