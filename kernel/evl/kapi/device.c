// SPDX-License-Identifier: GPL-2.0
/*
 * Device classes, devices, their nodes and sysfs attributes. In-band, may sleep.
 *
 * A device lives as long as its node may be found: an inode that somebody has open keeps the
 * character device, which keeps the rest. After kapi_device_destroy() such a device is gone: its
 * handlers are not called any more.
 */
#include <linux/capability.h>
#include <linux/cdev.h>
#include <linux/cpumask.h>
#include <linux/cred.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "kapi/internal.h"

/**
 * struct kapi_class - a class of devices
 * @cls:	in the driver core
 * @rdev:	first of its device numbers
 * @nr_minors:	how many there are
 * @on_top:	nodes are in /dev/evl/ rather than in a folder of their own
 */
struct kapi_class {
	struct class cls;
	dev_t rdev;
	unsigned int nr_minors;
	bool on_top;
};

/**
 * struct device_attr - one attribute of one device
 * @attr:	in the driver core
 * @setup:	what the core said
 */
struct device_attr {
	struct device_attribute attr;
	const struct kapi_attribute *setup;
};

/**
 * struct kapi_device - a device of the core
 * @dev:	in the driver core; its reference count is that of all of this
 * @cdev:	its node, if it has one
 * @ops:	handlers of its files; NULL if it has no node
 * @object:	what handlers and attributes are about
 * @in_dev:	the node is /dev/<name>
 * @gone:	no handler is called any more; under @guard
 * @guard:	read-held while the open handler runs
 * @uid:	owner of the node when it was opened last
 * @gid:	its group
 * @attrs:	attributes
 * @group:	of @attrs
 * @groups:	of @group
 */
struct kapi_device {
	struct device dev;
	struct cdev cdev;
	const struct kapi_file_ops *ops;
	void *object;
	bool in_dev;
	bool gone;
	struct rw_semaphore guard;
	kuid_t uid;
	kgid_t gid;
	struct device_attr *attrs;
	struct attribute_group group;
	const struct attribute_group *groups[2];
};

static struct kapi_device *to_device(const struct device *dev)
{
	return container_of(dev, struct kapi_device, dev);
}

static void release_device(struct device *dev)
{
	struct kapi_device *device = to_device(dev);

	kfree(device->group.attrs);
	kfree(device->attrs);
	kfree(device);
}

/* Where the node appears, and to whom it belongs. */
static char *name_node(const struct device *dev, umode_t *mode, kuid_t *uid, kgid_t *gid)
{
	struct kapi_device *device = to_device(dev);
	struct kapi_class *cls = container_of(dev->class, struct kapi_class, cls);

	if (uid)
		*uid = device->uid;
	if (gid)
		*gid = device->gid;

	if (device->in_dev)
		return NULL;
	if (cls->on_top)
		return kasprintf(GFP_KERNEL, "evl/%s", dev_name(dev));

	return kasprintf(GFP_KERNEL, "evl/%s/%s", cls->cls.name, dev_name(dev));
}

static const struct device_type device_type = {
	.name		= "evl",
	.devnode	= name_node,
	.release	= release_device,
};

int kapi_class_create(const char *name, unsigned int nr_minors, struct kapi_class **cls)
{
	struct kapi_class *p;
	int ret;

	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;

	p->cls.name = name;
	p->nr_minors = nr_minors;
	p->on_top = !strcmp(name, "evl");

	ret = alloc_chrdev_region(&p->rdev, 0, nr_minors, name);
	if (ret)
		goto fail;

	ret = class_register(&p->cls);
	if (ret)
		goto fail_region;

	*cls = p;

	return 0;

fail_region:
	unregister_chrdev_region(p->rdev, nr_minors);
fail:
	kfree(p);

	return ret;
}

void kapi_class_destroy(struct kapi_class *cls)
{
	class_unregister(&cls->cls);
	unregister_chrdev_region(cls->rdev, cls->nr_minors);
	kfree(cls);
}

static ssize_t show_attribute(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct device_attr *p = container_of(attr, struct device_attr, attr);

	return p->setup->show(to_device(dev)->object, buf, PAGE_SIZE);
}

static ssize_t store_attribute(struct device *dev, struct device_attribute *attr,
			       const char *buf, size_t bytes)
{
	struct device_attr *p = container_of(attr, struct device_attr, attr);

	return p->setup->store(to_device(dev)->object, buf, bytes);
}

/* Appear together with the device, so that who waits for it finds them. */
static int add_attributes(struct kapi_device *device, const struct kapi_attribute *setup)
{
	struct device_attr *p;
	unsigned int count, n;

	for (count = 0; setup && setup[count].name; count++)
		;
	if (!count)
		return 0;

	device->attrs = kcalloc(count, sizeof(*device->attrs), GFP_KERNEL);
	device->group.attrs = kcalloc(count + 1, sizeof(*device->group.attrs), GFP_KERNEL);
	if (!device->attrs || !device->group.attrs)
		return -ENOMEM;

	for (n = 0; n < count; n++) {
		p = &device->attrs[n];
		p->setup = &setup[n];
		sysfs_attr_init(&p->attr.attr);
		p->attr.attr.name = setup[n].name;
		p->attr.attr.mode = setup[n].mode;
		p->attr.show = setup[n].show ? show_attribute : NULL;
		p->attr.store = setup[n].store ? store_attribute : NULL;
		device->group.attrs[n] = &p->attr.attr;
	}

	device->groups[0] = &device->group;
	device->dev.groups = device->groups;

	return 0;
}

/*
 * What root makes belongs to whom the clone device belongs to. What somebody else makes is his: he
 * was let in by the group of the clone device, which opens no node of its owner.
 */
static kuid_t owner_of_element(const struct kapi_device *clone)
{
	return uid_eq(current_fsuid(), GLOBAL_ROOT_UID) ? clone->uid : current_fsuid();
}

int kapi_device_create(const struct kapi_device_setup *setup, struct kapi_device **device)
{
	struct kapi_device *p;
	int ret;

	if (strlen(setup->name) > NAME_MAX)
		return -ENAMETOOLONG;

	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;

	p->ops = setup->ops;
	p->object = setup->object;
	p->in_dev = setup->in_dev;
	p->uid = setup->owner ? owner_of_element(setup->owner) : GLOBAL_ROOT_UID;
	p->gid = setup->owner ? setup->owner->gid : GLOBAL_ROOT_GID;
	init_rwsem(&p->guard);

	/* From here on, the reference count frees it. */
	device_initialize(&p->dev);
	p->dev.class = &setup->cls->cls;
	p->dev.type = &device_type;

	ret = dev_set_name(&p->dev, "%s", setup->name);
	if (!ret)
		ret = add_attributes(p, setup->attributes);
	if (ret)
		goto fail;

	/* The caller may use it from its open handler. */
	*device = p;

	if (p->ops) {
		p->dev.devt = MKDEV(MAJOR(setup->cls->rdev),
				    MINOR(setup->cls->rdev) + setup->minor);
		cdev_init(&p->cdev, &kapi_fops);
		ret = cdev_device_add(&p->cdev, &p->dev);
	} else {
		ret = device_add(&p->dev);
	}
	if (!ret)
		return 0;

fail:
	put_device(&p->dev);

	return ret;
}

/* Attributes first: device_del() waits for those that run. */
void kapi_device_destroy(struct kapi_device *device)
{
	if (device->ops)
		cdev_device_del(&device->cdev, &device->dev);
	else
		device_del(&device->dev);

	down_write(&device->guard);
	device->gone = true;
	up_write(&device->guard);

	put_device(&device->dev);
}

int kapi_device_open(struct inode *inode, struct file *file)
{
	struct kapi_device *device = container_of(inode->i_cdev, struct kapi_device, cdev);

	guard(rwsem_read)(&device->guard);

	if (device->gone)
		return -ENXIO;

	/* Elements belong to whom the node they were made by belongs to. */
	device->uid = inode->i_uid;
	device->gid = inode->i_gid;

	return kapi_file_attach(file, device->ops, device->object);
}

bool kapi_may_access(struct kapi_device *device)
{
	return uid_eq(device->uid, current_euid()) || capable(CAP_SYS_ADMIN);
}

int kapi_parse_cpus(const char *text, struct kapi_cpumask *cpus)
{
	return cpulist_parse(text, (struct cpumask *)cpus);
}

long kapi_print_cpus(const struct kapi_cpumask *cpus, char *buf, size_t capacity)
{
	return scnprintf(buf, capacity, "%*pbl", cpumask_pr_args(kapi_to_cpumask(cpus)));
}
