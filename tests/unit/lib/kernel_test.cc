// SPDX-License-Identifier: MIT
// The real seam, on the kernel of this machine: results are negated errno values, errno is left
// alone. The out-of-band carrier is judged on the board; a kernel without a core refuses it.

#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/prctl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

namespace kernel = evl::kernel;

class KernelTest : public ::testing::Test {
 protected:
  KernelTest() { errno = 4711; }
  ~KernelTest() override { EXPECT_EQ(errno, 4711) << "the library does not touch errno"; }
};

TEST_F(KernelTest, ErrorsComeBackNegated) {
  EXPECT_EQ(kernel::open("/nowhere/at/all", O_RDWR), -ENOENT);
  EXPECT_EQ(kernel::close(-1), -EBADF);
  EXPECT_EQ(kernel::ioctl(-1, FIONREAD, nullptr), -EBADF);
  EXPECT_EQ(kernel::write(-1, "", 1), -EBADF);
  EXPECT_EQ(kernel::read(-1, nullptr, 1), -EBADF);
  EXPECT_EQ(kernel::set_nonblocking(-1), -EBADF);
  timespec time{};
  EXPECT_EQ(kernel::get_time(12345, &time), -EINVAL);
  EXPECT_EQ(kernel::get_resolution(12345, &time), -EINVAL);
  EXPECT_EQ(kernel::set_time(CLOCK_MONOTONIC, time), -EINVAL);
  int error = 0;
  EXPECT_EQ(kernel::map(-1, 4096, &error), nullptr);
  EXPECT_EQ(error, EBADF);
}

TEST_F(KernelTest, FilesAreOpenedCloseOnExec) {
  const int fd = kernel::open("/dev/null", O_RDWR);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(kernel::set_nonblocking(fd), 0);
  EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(kernel::write(fd, "x", 1), 1);
  EXPECT_EQ(kernel::read(fd, nullptr, 0), 0);
  EXPECT_EQ(kernel::close(fd), 0);
}

TEST_F(KernelTest, SharedMappingsAreWritable) {
  const int fd = memfd_create("heap", MFD_CLOEXEC);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(ftruncate(fd, 4096), 0);
  int error = -1;
  auto* const bytes = static_cast<char*>(kernel::map(fd, 4096, &error));
  ASSERT_NE(bytes, nullptr);
  EXPECT_EQ(error, 0);
  bytes[17] = 'x';
  char read = 0;
  EXPECT_EQ(pread(fd, &read, 1, 17), 1);
  EXPECT_EQ(read, 'x');
  kernel::unmap(bytes, 4096);
  EXPECT_EQ(kernel::close(fd), 0);
}

TEST_F(KernelTest, SchedulingIsThatOfTheCallingThread) {
  int policy = -1;
  int priority = -1;
  ASSERT_EQ(kernel::get_scheduling(&policy, &priority), 0);
  EXPECT_EQ(policy, sched_getscheduler(0) & ~SCHED_RESET_ON_FORK);
}

TEST_F(KernelTest, WithoutACoreTheOutOfBandCarrierIsRefused) {
  const int status = kernel::oob_ioctl(0, 0, nullptr);
  EXPECT_TRUE(status == -EINVAL || status == -EPERM) << status;
  EXPECT_EQ(kernel::oob_write(1, "", 0), status);
  EXPECT_EQ(kernel::oob_read(0, nullptr, 0), status);
}

}  // namespace
