// SPDX-License-Identifier: MIT
//
// Kernel memory, mappings, and the log.

#include "linux/linux.h"

namespace sim {

void* Linux::allocate(std::size_t bytes) {
  return arena_.allocate(bytes);
}

void Linux::release(void* block) {
  if (!arena_.release(block)) machine_->fail("a block is freed twice, or was never allocated");
}

int Linux::mmap(int fd, std::size_t bytes, void** address) {
  may_sleep("mmap");
  File* file = file_at(fd);
  if (file == nullptr) return -EBADF;
  if (file->ops->mmap == nullptr) return -ENODEV;
  Mapping mapping{.bytes = bytes};
  const int error =
      file->ops->mmap(file->object, handle(file), reinterpret_cast<kapi_vma*>(&mapping));
  *address = mapping.address;
  return error;
}

void Linux::print(int severity, const char* text) {
  log_ += text;
  log_ += '\n';
  if (severity <= KAPI_ERROR) machine_->note("prints an error");
}

}  // namespace sim
