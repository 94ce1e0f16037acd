// SPDX-License-Identifier: MIT

#include "hang_watch.h"

#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "common/files.h"

namespace utils::latmus {
namespace {

constexpr const char* kTasks = "/proc/self/task";

// Name, system call with its arguments, where in the kernel, and the lines of its status that
// concern signals and waiting.
void show(const std::string& task) {
  const std::string folder = std::string{kTasks} + "/" + task;
  fprintf(stderr, "thread %s", task.c_str());
  for (const char* const file : {"/comm", "/syscall", "/wchan"})
    fprintf(stderr, " | %s", read_file(folder + file).value_or("?").c_str());
  fputc('\n', stderr);
  const std::string status = read_file(folder + "/status").value_or("");
  for (const char* const field : {"State:", "SigPnd:", "ShdPnd:", "SigBlk:"}) {
    const size_t at = status.find(field);
    if (at == std::string::npos) continue;
    fprintf(stderr, "  %s\n", status.substr(at, status.find('\n', at) - at).c_str());
  }
}

}  // namespace

HangWatch::HangWatch(std::chrono::seconds limit) {
  // Signals are for the threads of the test: the thread inherits the mask, so that none can reach
  // it before it has its own.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread{[this, limit] { watch(limit); }};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void HangWatch::watch(std::chrono::seconds limit) {
  std::unique_lock guard{lock_};
  if (changed_.wait_for(guard, limit, [this] { return done_; })) return;
  fputs("the test hangs:\n", stderr);
  for (const std::string& task : list_folder(kTasks)) show(task);
  abort();
}

}  // namespace utils::latmus
