// SPDX-License-Identifier: MIT
// One CPU under test: its threads, and what they do in their turns.
#ifndef UTILS_HECTIC_TASK_H
#define UTILS_HECTIC_TASK_H

#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hectic/spec.h"

namespace utils::hectic {

// What the user asked for.
struct Settings {
  bool fpu{true};
  uint32_t fpu_features{0};
  uint32_t pause_us{0};  // Not zero: the stress mode.
};

// Set by the thread which finds an error; the main thread is told by SIGUSR1, and ends the program.
extern std::atomic<bool> failed;

// An open /dev/hectic with all threads of one CPU. The program ends with the threads still in their
// calls: the kernel takes them down, which is part of what is tested here.
class CpuTest final {
 public:
  CpuTest(int cpu, std::vector<Spec> specs, Settings settings);
  ~CpuTest();
  CpuTest(const CpuTest&) = delete;
  CpuTest& operator=(const CpuTest&) = delete;

  /// Opens the driver and starts all threads; they wait. An exit status, after a message.
  [[nodiscard]] int prepare();
  /// Starts the one which switches first.
  [[nodiscard]] int go();

  [[nodiscard]] int cpu() const { return cpu_; }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  /// Switches since the start, modulo 2^32; the same number as before if the driver does not
  /// answer.
  [[nodiscard]] uint32_t switches();

 private:
  struct Task;

  int add_kernel_task(const Spec& spec);
  int add_user_task(const Spec& spec, uint32_t index);
  int start_thread(Task* task, int fifo_priority, void* (*body)(void*));
  static void* task_main(void* argument);
  static void* burner_main(void* argument);
  void run_task(Task* task);
  void run_passer(Task* task);
  void run_partner(Task* task);
  bool switch_to(const Task& task, uint32_t to, bool oob, bool check_fpu, uint32_t value);
  void report_corruption(uint32_t self, uint32_t found, uint32_t bad);
  void fail(const char* what, long error);

  const int cpu_;
  std::vector<Spec> specs_;
  const Settings settings_;
  int driver_{-1};
  uint32_t last_count_{0};
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Task>> tasks_;
  sem_t registered_;
  sem_t start_;
};

/// Do the routines which fill and check the registers see what they have to? Prints a line for
/// each.
[[nodiscard]] bool test_fpu_routines(uint32_t features, bool print);

}  // namespace utils::hectic

#endif  // UTILS_HECTIC_TASK_H
