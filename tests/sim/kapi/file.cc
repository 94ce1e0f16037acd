// SPDX-License-Identifier: MIT
//
// kapi of the simulator: files, descriptors, devices.

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "linux/linux.h"

namespace {

using sim::file_of;
using sim::lx;

sim::Machine& mc() {
  return sim::Machine::current();
}

sim::File* served_oob(struct kapi_file* file, const char* who) {
  if (!mc().cpu().oob || mc().cpu().irqs_off || !mc().cpu().held.empty())
    mc().fail("%s in a wrong context", who);
  // A release in progress waits for us: the core's reference is enough.
  if (file_of(file)->released) mc().fail("%s on a file that was released", who);
  return file_of(file);
}

}  // namespace

extern "C" {

int kapi_anon_file(const char* name, const struct kapi_file_ops* ops, void* object,
                   unsigned int flags, struct kapi_file** file) {
  lx().may_sleep("kapi_anon_file");
  lx().maybe_preempt();
  const unsigned refuse = lx().config().refuse_percent;
  if (refuse != 0 && mc().strategy().rarely(refuse)) return -EMFILE;
  sim::File& made = lx().make_file(name, ops, object, flags);
  *file = sim::handle(&made);
  return lx().reserve_fd(made);
}
void kapi_fd_install(int fd, struct kapi_file* /*file*/) {
  lx().install_fd(fd);
}
void kapi_fd_abort(int fd, struct kapi_file* file) {
  lx().free_fd(fd);
  lx().put_file(*file_of(file));
}

void* kapi_file_object(struct kapi_file* file, const struct kapi_file_ops* ops) {
  return file_of(file)->ops == ops ? file_of(file)->object : nullptr;
}
void kapi_set_oob_data(struct kapi_file* file, void* oob_data) {
  file_of(file)->oob_data = oob_data;
}
void* kapi_oob_data(struct kapi_file* file) {
  return file_of(file)->oob_data;
}
unsigned int kapi_file_flags(struct kapi_file* file) {
  return file_of(file)->flags;
}

const struct kapi_files* kapi_current_files(void) {
  return reinterpret_cast<const kapi_files*>(lx().current().files);
}
struct kapi_file* kapi_get_file(int fd) {
  if (mc().cpu().oob) mc().fail("kapi_get_file() on the oob stage");
  sim::File* file = lx().file_at(fd);
  if (file == nullptr) return nullptr;
  lx().get_file(*file);
  return sim::handle(file);
}
void kapi_put_file(struct kapi_file* file) {
  if (mc().cpu().oob) mc().fail("kapi_put_file() on the oob stage");
  lx().put_file(*file_of(file));
}

long kapi_oob_ioctl(struct kapi_file* file, unsigned int cmd, unsigned long arg) {
  sim::File* served = served_oob(file, "kapi_oob_ioctl()");
  return served->ops->oob_ioctl == nullptr ? -ENOTTY
                                           : served->ops->oob_ioctl(served->object, file, cmd, arg);
}
long kapi_oob_read(struct kapi_file* file, void* user_buf, size_t bytes) {
  sim::File* served = served_oob(file, "kapi_oob_read()");
  return served->ops->oob_read == nullptr
             ? -EINVAL
             : served->ops->oob_read(served->object, file, user_buf, bytes);
}
long kapi_oob_write(struct kapi_file* file, const void* user_buf, size_t bytes) {
  sim::File* served = served_oob(file, "kapi_oob_write()");
  return served->ops->oob_write == nullptr
             ? -EINVAL
             : served->ops->oob_write(served->object, file, user_buf, bytes);
}
// As little at a time as the strategy likes: pipes and sockets do so.
long kapi_kernel_read(struct kapi_file* file, void* buf, size_t bytes) {
  lx().may_sleep("kapi_kernel_read");
  lx().maybe_preempt();
  std::string& content = file_of(file)->content;
  const std::size_t there = std::min(bytes, content.size());
  const std::size_t got = there > 1 && mc().strategy().rarely(20) ? there / 2 : there;
  std::memcpy(buf, content.data(), got);
  content.erase(0, got);
  return static_cast<long>(got);
}
long kapi_kernel_write(struct kapi_file* file, const void* buf, size_t bytes) {
  lx().may_sleep("kapi_kernel_write");
  lx().maybe_preempt();
  const std::size_t sent = bytes > 1 && mc().strategy().rarely(20) ? bytes / 2 : bytes;
  file_of(file)->received.append(static_cast<const char*>(buf), sent);
  return static_cast<long>(sent);
}

// ---- Devices

int kapi_class_create(const char* name, unsigned int nr_minors, struct kapi_class** cls) {
  lx().may_sleep("kapi_class_create");
  const unsigned refuse = lx().config().refuse_percent;
  if (refuse != 0 && mc().strategy().rarely(refuse)) return -ENOMEM;
  *cls = reinterpret_cast<kapi_class*>(&lx().add_class(name, nr_minors));
  return 0;
}
void kapi_class_destroy(struct kapi_class* cls) {
  lx().remove_class(reinterpret_cast<sim::DeviceClass*>(cls));
}

int kapi_device_create(const struct kapi_device_setup* setup, struct kapi_device** device) {
  lx().may_sleep("kapi_device_create");
  lx().maybe_preempt();
  const unsigned refuse = lx().config().refuse_percent;
  if (refuse != 0 && mc().strategy().rarely(refuse)) return -ENOMEM;
  sim::Device* made = lx().add_device(*setup);
  if (made == nullptr) return -EEXIST;
  *device = reinterpret_cast<kapi_device*>(made);
  return 0;
}
void kapi_device_destroy(struct kapi_device* device) {
  lx().remove_device(reinterpret_cast<sim::Device*>(device));
}
bool kapi_may_access(struct kapi_device* /*device*/) {
  return true;
}

int kapi_parse_cpus(const char* text, struct kapi_cpumask* cpus) {
  cpus->words[0] = 0;
  while (*text != '\0' && *text != '\n') {
    char* end = nullptr;
    const unsigned long first = std::strtoul(text, &end, 10);
    if (end == text) return -EINVAL;
    unsigned long last = first;
    if (*end == '-') {
      text = end + 1;
      last = std::strtoul(text, &end, 10);
      if (end == text || last < first) return -EINVAL;
    }
    if (last >= KAPI_NR_CPUS) return -ERANGE;
    for (unsigned long cpu = first; cpu <= last; ++cpu) cpus->words[0] |= 1ULL << cpu;
    text = *end == ',' ? end + 1 : end;
  }
  return 0;
}
long kapi_print_cpus(const struct kapi_cpumask* cpus, char* buf, size_t capacity) {
  std::size_t length = 0;
  buf[0] = '\0';
  for (unsigned cpu = 0; cpu < KAPI_NR_CPUS; ++cpu) {
    if (((cpus->words[0] >> cpu) & 1U) == 0) continue;
    length += static_cast<std::size_t>(
        std::snprintf(buf + length, capacity - length, "%s%u", length == 0 ? "" : ",", cpu));
    if (length >= capacity) return static_cast<long>(capacity) - 1;
  }
  return static_cast<long>(length);
}

}  // extern "C"
