// SPDX-License-Identifier: GPL-2.0
/*
 * Files of the core, and the handlers of any file.
 *
 * All files of the core have one table of operations, which look up the handlers of the file. A
 * file keeps both handlers and object from its opening to its release, whatever becomes of the
 * device it was opened by.
 */
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "kapi/internal.h"

/**
 * struct opened - private data of a file of the core
 * @ops:	handlers
 * @object:	what they are about
 */
struct opened {
	const struct kapi_file_ops *ops;
	void *object;
};

static struct opened *opened_of(struct file *file)
{
	return file->private_data;
}

static struct kapi_file *handle_of(struct file *file)
{
	return (struct kapi_file *)file;
}

static struct file *to_file(struct kapi_file *file)
{
	return (struct file *)file;
}

static long kapi_fop_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct opened *p = opened_of(file);

	return p->ops->ioctl ? p->ops->ioctl(p->object, handle_of(file), cmd, arg) : -ENOTTY;
}

static ssize_t kapi_fop_read(struct file *file, char __user *buf, size_t bytes, loff_t *pos)
{
	struct opened *p = opened_of(file);

	if (!p->ops->read)
		return -EINVAL;

	return p->ops->read(p->object, handle_of(file), (__force void *)buf, bytes);
}

static ssize_t kapi_fop_write(struct file *file, const char __user *buf, size_t bytes, loff_t *pos)
{
	struct opened *p = opened_of(file);

	if (!p->ops->write)
		return -EINVAL;

	return p->ops->write(p->object, handle_of(file), (__force const void *)buf, bytes);
}

static __poll_t kapi_fop_poll(struct file *file, struct poll_table_struct *table)
{
	struct opened *p = opened_of(file);

	if (!p->ops->poll)
		return DEFAULT_POLLMASK;

	return (__force __poll_t)p->ops->poll(p->object, handle_of(file),
					      (struct kapi_poll_table *)table);
}

static int kapi_fop_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct opened *p = opened_of(file);

	if (!p->ops->mmap)
		return -ENODEV;

	return p->ops->mmap(p->object, handle_of(file), (struct kapi_vma *)vma);
}

static int kapi_fop_release(struct inode *inode, struct file *file)
{
	struct opened *p = opened_of(file);

	if (p->ops->release)
		p->ops->release(p->object, handle_of(file));
	kfree(p);

	return 0;
}

static long kapi_fop_oob_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct opened *p = opened_of(file);

	if (!p->ops->oob_ioctl)
		return -ENOTTY;

	return p->ops->oob_ioctl(p->object, handle_of(file), cmd, arg);
}

static ssize_t kapi_fop_oob_read(struct file *file, char __user *buf, size_t bytes)
{
	struct opened *p = opened_of(file);

	if (!p->ops->oob_read)
		return -EINVAL;

	return p->ops->oob_read(p->object, handle_of(file), (__force void *)buf, bytes);
}

static ssize_t kapi_fop_oob_write(struct file *file, const char __user *buf, size_t bytes)
{
	struct opened *p = opened_of(file);

	if (!p->ops->oob_write)
		return -EINVAL;

	return p->ops->oob_write(p->object, handle_of(file), (__force const void *)buf, bytes);
}

const struct file_operations kapi_fops = {
	.open			= kapi_device_open,
	.release		= kapi_fop_release,
	.unlocked_ioctl		= kapi_fop_ioctl,
	.compat_ioctl		= compat_ptr_ioctl,
	.read			= kapi_fop_read,
	.write			= kapi_fop_write,
	.poll			= kapi_fop_poll,
	.mmap			= kapi_fop_mmap,
	.llseek			= noop_llseek,
	.oob_ioctl		= kapi_fop_oob_ioctl,
	.compat_oob_ioctl	= compat_ptr_oob_ioctl,
	.oob_read		= kapi_fop_oob_read,
	.oob_write		= kapi_fop_oob_write,
};

/**
 * kapi_file_attach - make a file that is being opened one of the core
 * @file:		the file; its operations are kapi_fops
 * @ops:		its handlers
 * @device_object:	what the open handler gets, which may choose another object
 *
 * Context: in-band, may sleep.
 *
 * Return: 0, -ENOMEM, or what the open handler says.
 */
int kapi_file_attach(struct file *file, const struct kapi_file_ops *ops, void *device_object)
{
	struct opened *p;
	int ret = 0;

	p = kmalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;

	*p = (struct opened){ ops, device_object };
	file->private_data = p;

	if (ops->open)
		ret = ops->open(device_object, handle_of(file), &p->object);
	if (ret) {
		file->private_data = NULL;
		kfree(p);
	}

	return ret;
}

int kapi_anon_file(const char *name, const struct kapi_file_ops *ops, void *object,
		   unsigned int flags, struct kapi_file **file)
{
	struct file *filp;
	struct opened *p;
	char label[64];
	int fd;

	p = kmalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	*p = (struct opened){ ops, object };

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		goto fail;

	snprintf(label, sizeof(label), "[evl:%s]", name);
	filp = anon_inode_getfile(label, &kapi_fops, p, flags);
	if (IS_ERR(filp)) {
		put_unused_fd(fd);
		fd = PTR_ERR(filp);
		goto fail;
	}

	*file = handle_of(filp);

	return fd;

fail:
	kfree(p);

	return fd;
}

void kapi_fd_install(int fd, struct kapi_file *file)
{
	fd_install(fd, to_file(file));
}

void kapi_fd_abort(int fd, struct kapi_file *file)
{
	put_unused_fd(fd);
	fput(to_file(file));
}

void *kapi_file_object(struct kapi_file *file, const struct kapi_file_ops *ops)
{
	struct file *filp = to_file(file);

	if (filp->f_op != &kapi_fops || opened_of(filp)->ops != ops)
		return NULL;

	return opened_of(filp)->object;
}

void kapi_set_oob_data(struct kapi_file *file, void *oob_data)
{
	to_file(file)->oob_data = oob_data;
}

void *kapi_oob_data(struct kapi_file *file)
{
	return to_file(file)->oob_data;
}

unsigned int kapi_file_flags(struct kapi_file *file)
{
	return READ_ONCE(to_file(file)->f_flags);
}

const struct kapi_files *kapi_current_files(void)
{
	return (const struct kapi_files *)current->files;
}

struct kapi_file *kapi_get_file(int fd)
{
	return fd < 0 ? NULL : handle_of(fget(fd));
}

void kapi_put_file(struct kapi_file *file)
{
	fput(to_file(file));
}

long kapi_oob_ioctl(struct kapi_file *file, unsigned int cmd, unsigned long arg)
{
	struct file *filp = to_file(file);

	return filp->f_op->oob_ioctl ? filp->f_op->oob_ioctl(filp, cmd, arg) : -ENOTTY;
}

long kapi_oob_read(struct kapi_file *file, void *user_buf, size_t bytes)
{
	struct file *filp = to_file(file);

	if (!(filp->f_mode & FMODE_READ))
		return -EBADF;
	if (!filp->f_op->oob_read)
		return -EINVAL;

	return filp->f_op->oob_read(filp, (char __user *)user_buf, bytes);
}

long kapi_oob_write(struct kapi_file *file, const void *user_buf, size_t bytes)
{
	struct file *filp = to_file(file);

	if (!(filp->f_mode & FMODE_WRITE))
		return -EBADF;
	if (!filp->f_op->oob_write)
		return -EINVAL;

	return filp->f_op->oob_write(filp, (const char __user *)user_buf, bytes);
}

/* As read(2) and write(2) do: files that have a position share it with everybody. */
static loff_t *lock_position(struct file *file)
{
	if (file->f_mode & FMODE_STREAM)
		return NULL;
	if (file->f_mode & FMODE_ATOMIC_POS)
		mutex_lock(&file->f_pos_lock);

	return &file->f_pos;
}

static void unlock_position(struct file *file)
{
	if (!(file->f_mode & FMODE_STREAM) && file->f_mode & FMODE_ATOMIC_POS)
		mutex_unlock(&file->f_pos_lock);
}

long kapi_kernel_read(struct kapi_file *file, void *buf, size_t bytes)
{
	struct file *filp = to_file(file);
	loff_t *pos = lock_position(filp);
	/* A worker may do what who opened the file may do, not what the kernel may. */
	const struct cred *own = override_creds(filp->f_cred);
	long ret = kernel_read(filp, buf, bytes, pos);

	revert_creds(own);
	unlock_position(filp);

	return ret;
}

long kapi_kernel_write(struct kapi_file *file, const void *buf, size_t bytes)
{
	struct file *filp = to_file(file);
	loff_t *pos = lock_position(filp);
	const struct cred *own = override_creds(filp->f_cred);
	long ret = kernel_write(filp, buf, bytes, pos);

	revert_creds(own);
	unlock_position(filp);

	return ret;
}
