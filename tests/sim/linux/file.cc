// SPDX-License-Identifier: MIT
//
// Open files and descriptors, device nodes and attributes.

#include <algorithm>
#include <cstring>
#include <string>

#include "linux/linux.h"

namespace sim {

// ---------------------------------------------------------------- files

File& Linux::make_file(const char* name, const kapi_file_ops* ops, void* object, unsigned flags) {
  files_.push_back(std::make_unique<File>());
  File& file = *files_.back();
  file.name = name;
  file.ops = ops;
  file.object = object;
  file.flags = flags;
  file.references = 1;
  return file;
}

int Linux::reserve_fd(File& file) {
  Files& files = *current().files;
  const auto free = std::find(files.table.begin(), files.table.end(), nullptr);
  const auto fd = static_cast<std::size_t>(free - files.table.begin());
  if (free == files.table.end()) {
    files.table.push_back(nullptr);
    files.installed.push_back(false);
  }
  files.table[fd] = &file;
  files.installed[fd] = false;
  return static_cast<int>(fd);
}

// Linux holds the lock of the table around this: nobody sees the descriptor before the core does.
void Linux::install_fd(int fd) {
  Files& files = *current().files;
  File* file = files.table[static_cast<std::size_t>(fd)];
  if (file->oob_data != nullptr) {
    const InCore in_core{*this};
    AtomicSection table_lock{*this};
    evl_on_fd_install(reinterpret_cast<kapi_files*>(&files), static_cast<unsigned>(fd),
                      handle(file));
  }
  files.installed[static_cast<std::size_t>(fd)] = true;
}

void Linux::free_fd(int fd) {
  Files& files = *current().files;
  files.table[static_cast<std::size_t>(fd)] = nullptr;
  files.installed[static_cast<std::size_t>(fd)] = false;
}

File* Linux::file_at(int fd) {
  Files* files = current().files;
  if (files == nullptr || fd < 0 || static_cast<std::size_t>(fd) >= files->table.size())
    return nullptr;
  return files->installed[static_cast<std::size_t>(fd)] ? files->table[static_cast<std::size_t>(fd)]
                                                        : nullptr;
}

int Linux::open(const std::string& path, unsigned flags) {
  may_sleep("open");
  maybe_preempt();
  Device* device = find_device(path);
  if (device == nullptr || device->setup.ops == nullptr) return -ENOENT;
  File& file = make_file(device->name.c_str(), device->setup.ops, nullptr, flags);
  file.device = device;
  const InCore in_core{*this};
  ++device->busy;
  const int error = device->setup.ops->open != nullptr
                        ? device->setup.ops->open(device->setup.object, handle(&file), &file.object)
                        : 0;
  if (--device->busy == 0) wake(&device->busy);
  if (error != 0) {
    file.references = 0;
    return error;
  }
  const int fd = reserve_fd(file);
  install_fd(fd);
  return fd;
}

int Linux::close(int fd) {
  may_sleep("close");
  File* file = file_at(fd);
  if (file == nullptr) return -EBADF;
  Files& files = *current().files;
  // And around this: the number is not given out again before the core has forgotten it.
  files.installed[static_cast<std::size_t>(fd)] = false;
  if (file->oob_data != nullptr) {
    const InCore in_core{*this};
    AtomicSection table_lock{*this};
    evl_on_fd_uninstall(reinterpret_cast<kapi_files*>(&files), static_cast<unsigned>(fd),
                        handle(file));
  }
  free_fd(fd);
  put_file(*file);
  return 0;
}

int Linux::dup(int fd) {
  File* file = file_at(fd);
  if (file == nullptr) return -EBADF;
  get_file(*file);
  const int copy = reserve_fd(*file);
  install_fd(copy);
  return copy;
}

void Linux::put_file(File& file) {
  if (--file.references > 0) return;
  may_sleep("the last reference on a file");
  maybe_preempt();
  const InCore in_core{*this};
  if (file.ops->release != nullptr) file.ops->release(file.object, handle(&file));
  file.object = nullptr;
  file.released = true;
}

long Linux::ioctl(int fd, unsigned cmd, void* argument) {
  may_sleep("ioctl");
  maybe_preempt();
  File* file = file_at(fd);
  if (file == nullptr) return -EBADF;
  if (file->ops->ioctl == nullptr) return -ENOTTY;
  get_file(*file);
  const InCore in_core{*this};
  const long result =
      file->ops->ioctl(file->object, handle(file), cmd, reinterpret_cast<unsigned long>(argument));
  put_file(*file);
  return result;
}

long Linux::read(int fd, void* buffer, std::size_t bytes) {
  may_sleep("read");
  maybe_preempt();
  File* file = file_at(fd);
  if (file == nullptr) return -EBADF;
  if (file->ops->read == nullptr) return -EINVAL;
  get_file(*file);
  const InCore in_core{*this};
  const long result = file->ops->read(file->object, handle(file), buffer, bytes);
  put_file(*file);
  return result;
}

long Linux::write(int fd, const void* buffer, std::size_t bytes) {
  may_sleep("write");
  maybe_preempt();
  File* file = file_at(fd);
  if (file == nullptr) return -EBADF;
  if (file->ops->write == nullptr) return -EINVAL;
  get_file(*file);
  const InCore in_core{*this};
  const long result = file->ops->write(file->object, handle(file), buffer, bytes);
  put_file(*file);
  return result;
}

unsigned Linux::poll(int fd) {
  may_sleep("poll");
  File* file = file_at(fd);
  return file == nullptr || file->ops->poll == nullptr
             ? 0
             : file->ops->poll(file->object, handle(file), nullptr);
}

int Linux::open_plain(const char* name, std::string content) {
  static constexpr kapi_file_ops kNothing{};
  constexpr unsigned kReadWrite = 2;
  File& file = make_file(name, &kNothing, nullptr, kReadWrite);
  file.content = std::move(content);
  const int fd = reserve_fd(file);
  install_fd(fd);
  return fd;
}

// ---------------------------------------------------------------- devices

DeviceClass& Linux::add_class(const char* name, unsigned minors) {
  classes_.push_back(std::make_unique<DeviceClass>());
  classes_.back()->name = name;
  classes_.back()->minors = minors;
  return *classes_.back();
}

void Linux::remove_class(DeviceClass* device_class) {
  for (const auto& device : devices_)
    if (!device->gone && device->setup.cls == reinterpret_cast<kapi_class*>(device_class))
      machine_->fail("class %s is removed before its device %s", device_class->name.c_str(),
                     device->name.c_str());
  std::erase_if(classes_, [&](const auto& one) { return one.get() == device_class; });
}

Device* Linux::add_device(const kapi_device_setup& setup) {
  const std::string folder = reinterpret_cast<DeviceClass*>(setup.cls)->name;
  const std::string path = "/dev/evl/" + (folder == "evl" ? "" : folder + "/") + setup.name;
  if (setup.minor >= reinterpret_cast<DeviceClass*>(setup.cls)->minors)
    machine_->fail("%s: minor %u", path.c_str(), setup.minor);
  for (const auto& device : devices_) {
    if (device->gone) continue;
    if (device->name == path) return nullptr;
    if (device->setup.cls == setup.cls && device->setup.minor == setup.minor)
      machine_->fail("%s: minor %u is in use by %s", setup.name, setup.minor, device->name.c_str());
  }
  devices_.push_back(std::make_unique<Device>());
  devices_.back()->setup = setup;
  devices_.back()->name = path;
  return devices_.back().get();
}

void Linux::remove_device(Device* device) {
  may_sleep("kapi_device_destroy");
  device->gone = true;
  while (device->busy > 0) sleep_on(&device->busy, false);
}

Device* Linux::find_device(const std::string& path) {
  const auto found = std::find_if(devices_.begin(), devices_.end(),
                                  [&](const auto& one) { return !one->gone && one->name == path; });
  return found == devices_.end() ? nullptr : found->get();
}

long Linux::read_attribute(const std::string& path, const char* attribute, char* buf,
                           std::size_t capacity) {
  may_sleep("an attribute");
  Device* device = find_device(path);
  if (device == nullptr || device->setup.attributes == nullptr) return -ENOENT;
  for (const kapi_attribute* one = device->setup.attributes; one->name != nullptr; ++one) {
    if (std::strcmp(one->name, attribute) != 0) continue;
    if (one->show == nullptr) return -EACCES;
    const InCore in_core{*this};
    ++device->busy;
    const long length = one->show(device->setup.object, buf, capacity);
    if (--device->busy == 0) wake(&device->busy);
    return length;
  }
  return -ENOENT;
}

long Linux::write_attribute(const std::string& path, const char* attribute, const char* text) {
  may_sleep("an attribute");
  Device* device = find_device(path);
  if (device == nullptr || device->setup.attributes == nullptr) return -ENOENT;
  for (const kapi_attribute* one = device->setup.attributes; one->name != nullptr; ++one) {
    if (std::strcmp(one->name, attribute) != 0) continue;
    if (one->store == nullptr) return -EACCES;
    const InCore in_core{*this};
    ++device->busy;
    const long result = one->store(device->setup.object, text, std::strlen(text));
    if (--device->busy == 0) wake(&device->busy);
    return result;
  }
  return -ENOENT;
}

const std::string& Linux::process_leaks() {
  leaks_.clear();
  for (const auto& file : files_)
    if (file->references > 0) leaks_ += " file " + file->name + ";";
  for (const auto& task : tasks_)
    if (task->references != 1 && task->run == Run::dead)
      leaks_ += std::string{" reference on task "} + task->comm.data() + ";";
  return leaks_;
}

std::string Linux::leaks() {
  std::string text = process_leaks();
  if (arena_.used_blocks() != 0)
    text += " " + std::to_string(arena_.used_blocks()) + " blocks of memory;";
  for (const auto& device : devices_)
    if (!device->gone) text += " device " + device->name + ";";
  return text;
}

}  // namespace sim
