// SPDX-License-Identifier: MIT
// A library that was never initialized, on a fresh fake core; one per test.
#ifndef TESTS_UNIT_LIB_FIXTURE_H
#define TESTS_UNIT_LIB_FIXTURE_H

#include <errno.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

#include "current.h"
#include "evl/evl.h"
#include "fake_core.h"
#include "init.h"
#include "process.h"

class LibTest : public ::testing::Test {
 protected:
  LibTest() {
    evl::forget_process();
    fake::renew_core();
  }
  ~LibTest() override { evl::forget_process(); }

  static fake::Core& core() { return fake::core(); }

  // Attaches the calling thread, out-of-band at this priority; its descriptor.
  static int attach(const char* name, int priority = 10) {
    core().policy = priority == 0 ? SCHED_OTHER : SCHED_FIFO;
    core().priority = priority;
    const int efd = evl_attach_self("%s", name);
    EXPECT_GE(efd, 0) << name;
    return efd;
  }

  // Runs a body in a thread of its own, attached; the thread is joined when the object dies.
  template <typename Body>
  static std::jthread attached(const char* name, Body body) {
    return std::jthread{[=] {
      core().policy = SCHED_FIFO;
      core().priority = 10;
      const int efd = evl_attach_self("%s", name);
      ASSERT_GE(efd, 0) << name;
      body(efd);
      EXPECT_EQ(evl_detach_self(), 0) << name;
    }};
  }
};

#endif  // TESTS_UNIT_LIB_FIXTURE_H
