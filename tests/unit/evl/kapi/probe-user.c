// SPDX-License-Identifier: MIT
// The user's half of probe.c: oob calls in both forms, and descriptors of an oob-capable file.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PR_OOB_SYSCALL 0x4f4f4243
#define OOB_SYSCALL_BIT 0x10000000

static int failures;

#define EXPECT(cond)                                          \
  do {                                                        \
    if (!(cond)) {                                            \
      ++failures;                                             \
      printf("%s:%d: %s (%m)\n", __FILE__, __LINE__, #cond); \
    }                                                         \
  } while (0)

int main(void) {
  char text[8] = "";

  EXPECT(prctl(PR_OOB_SYSCALL, 1, 10, 20, 30) == 60);
  EXPECT(prctl(OOB_SYSCALL_BIT | 1, 1, 2, 3, 4) == 6);
  EXPECT(prctl(PR_OOB_SYSCALL, 9, 0, 0, 0) == -1 && errno == EINVAL);
  EXPECT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);

  const int fd = prctl(PR_OOB_SYSCALL, 2, 0, 0, 0);
  EXPECT(fd >= 0);
  EXPECT(fcntl(fd, F_GETFD) == FD_CLOEXEC);
  EXPECT(read(fd, text, sizeof(text)) == 6 && !strcmp(text, "probe"));
  EXPECT(read(fd, text, 2) == -1 && errno == EINVAL);
  EXPECT(write(fd, text, 2) == -1 && errno == EINVAL);
  const int other = dup(fd);
  EXPECT(other >= 0);
  EXPECT(dup2(1, other) == other);
  EXPECT(close(other) == 0 && close(fd) == 0);

  const int dev = open("/dev/evl/probe/probe", O_RDWR);
  EXPECT(dev >= 0);
  EXPECT(read(dev, text, sizeof(text)) == 6);
  void* volatile nowhere = (void*)16;
  EXPECT(read(dev, nowhere, 6) == -1 && errno == EFAULT);
  EXPECT(access("/dev/evl/probe/gone", F_OK) == -1);
  EXPECT(access("/dev/evl/probe/private", F_OK) == -1);
  EXPECT(access("/sys/devices/virtual/probe/private", F_OK) == 0);

  const int poke = open("/sys/devices/virtual/probe/probe/poke", O_WRONLY);
  EXPECT(write(poke, "x", 1) == 1);
  EXPECT(write(poke, "y", 1) == -1 && errno == EINVAL);
  if (fork() == 0) _exit(0);
  wait(NULL);

  printf("probe-user: %d failures\n", failures);
  return failures != 0;
}
