// SPDX-License-Identifier: MIT
// Bytes between the stages: cross-buffers and file proxies.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <numeric>
#include <thread>

#include "support.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

short ready(int fd) {
  pollfd one{.fd = fd, .events = POLLIN | POLLOUT, .revents = 0};
  EXPECT_GE(poll(&one, 1, 0), 0);
  return one.revents;
}

void set_nonblocking(int fd, bool on) {
  EXPECT_EQ(fcntl(fd, F_SETFL, on ? O_NONBLOCK : 0), 0);
}

}  // namespace

TEST(Xbuf, CarriesBytesBothWays) {
  const int fd = evl_new_xbuf(64, "%s", unique_name("xbuf").c_str());
  ASSERT_GE(fd, 0);
  EXPECT_EQ(ready(fd), POLLOUT);
  attached([&] {
    EXPECT_EQ(oob_write(fd, "inbound", 7), 7);
    EXPECT_FALSE(evl_is_inband());
  });
  EXPECT_EQ(ready(fd), POLLIN | POLLOUT);
  char text[16]{};
  EXPECT_EQ(read(fd, text, 7), 7);
  EXPECT_STREQ(text, "inbound");
  EXPECT_EQ(write(fd, "outbound", 8), 8);
  attached([&] {
    char got[16]{};
    EXPECT_EQ(oob_read(fd, got, 8), 8);
    EXPECT_STREQ(got, "outbound");
  });
  EXPECT_EQ(close(fd), 0);
}

// More than the rings hold, in pieces that do not divide them, in both directions at once.
TEST(Xbuf, LosesNothing) {
  constexpr int kPieces = 400;
  constexpr size_t kBytes = 24;
  const int fd = evl_new_xbuf(100, nullptr);
  ASSERT_GE(fd, 0);
  const auto fill = [](std::array<unsigned char, kBytes>& piece, int n) {
    std::iota(piece.begin(), piece.end(), static_cast<unsigned char>(n));
  };
  std::thread inband_reader{[&] {
    std::array<unsigned char, kBytes> expected{};
    std::array<unsigned char, kBytes> got{};
    for (int n = 0; n < kPieces; ++n) {
      fill(expected, n);
      for (size_t have = 0; have < kBytes;) {  // Short when a writer is blocked.
        const ssize_t more = read(fd, got.data() + have, kBytes - have);
        ASSERT_GT(more, 0);
        have += static_cast<size_t>(more);
      }
      ASSERT_EQ(got, expected) << n;
    }
  }};
  std::thread inband_writer{[&] {
    std::array<unsigned char, kBytes> piece{};
    for (int n = 0; n < kPieces; ++n) {
      fill(piece, n);
      ASSERT_EQ(write(fd, piece.data(), kBytes), static_cast<ssize_t>(kBytes));
    }
  }};
  Thread oob_writer{{.priority = 10}, [&] {
                      std::array<unsigned char, kBytes> piece{};
                      for (int n = 0; n < kPieces; ++n) {
                        fill(piece, n);
                        ASSERT_EQ(oob_write(fd, piece.data(), kBytes),
                                  static_cast<ssize_t>(kBytes));
                      }
                      EXPECT_FALSE(evl_is_inband());
                    }};
  Thread oob_reader{{.priority = 11, .cpu = cpus() - 1}, [&] {
                      std::array<unsigned char, kBytes> expected{};
                      std::array<unsigned char, kBytes> got{};
                      for (int n = 0; n < kPieces; ++n) {
                        fill(expected, n);
                        for (size_t have = 0; have < kBytes;) {
                          const ssize_t more = oob_read(fd, got.data() + have, kBytes - have);
                          ASSERT_GT(more, 0);
                          have += static_cast<size_t>(more);
                        }
                        ASSERT_EQ(got, expected) << n;
                      }
                    }};
  oob_writer.join();
  oob_reader.join();
  inband_writer.join();
  inband_reader.join();
  EXPECT_EQ(close(fd), 0);
}

TEST(Xbuf, WhenItIsFullOrEmpty) {
  const std::string name = unique_name("xbuf");
  const int fd = evl_create_xbuf(16, 32, EVL_CLONE_PRIVATE, "%s", name.c_str());
  ASSERT_GE(fd, 0);
  set_nonblocking(fd, true);
  const std::string rings = "/sys/devices/virtual/xbuf/" + name + "/rings";
  char text[64]{};
  EXPECT_EQ(contents(rings), "0 16 0 32");
  EXPECT_EQ(read(fd, text, 4), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(write(fd, text, 30), 30);
  EXPECT_EQ(write(fd, text, 3), -1);  // All or nothing.
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(write(fd, text, 33), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(read(fd, text, 17), -1);
  EXPECT_EQ(errno, EINVAL);
  attached([&] {
    EXPECT_EQ(oob_write(fd, text, 16), 16);
    EXPECT_EQ(oob_write(fd, text, 1), -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_EQ(oob_read(fd, text, 20), 20);
    EXPECT_EQ(oob_read(fd, text, 20), 10);  // What is there.
    EXPECT_EQ(oob_read(fd, text, 20), -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_EQ(oob_write(fd, reinterpret_cast<void*>(0x1000), 0), 0);
  });
  EXPECT_EQ(contents(rings), "16 16 0 32");
  EXPECT_EQ(read(fd, text, 16), 16);
  EXPECT_EQ(close(fd), 0);
}

TEST(Xbuf, HasOneDirectionOnly) {
  const int fd = evl_create_xbuf(16, 0, EVL_CLONE_PRIVATE, nullptr);
  ASSERT_GE(fd, 0);
  char byte = 0;
  EXPECT_EQ(write(fd, &byte, 1), -1);
  EXPECT_EQ(errno, ENOBUFS);
  attached([&] {
    EXPECT_EQ(oob_read(fd, &byte, 1), -1);
    EXPECT_EQ(errno, ENOBUFS);
    EXPECT_EQ(oob_write(fd, reinterpret_cast<void*>(0x1000), 4), -1);
    EXPECT_EQ(errno, EFAULT);
  });
  EXPECT_EQ(close(fd), 0);
  EXPECT_EQ(evl_create_xbuf(0, 0, EVL_CLONE_PRIVATE, nullptr), -EINVAL);
  EXPECT_EQ(evl_create_xbuf((size_t{1} << 30) + 1, 0, EVL_CLONE_PRIVATE, nullptr), -EINVAL);
}

TEST(Xbuf, CloseEndsTheWaits) {
  const int fd = evl_new_xbuf(16, nullptr);
  ASSERT_GE(fd, 0);
  Thread reader{{}, [&] {
                  char byte = 0;
                  EXPECT_EQ(oob_read(fd, &byte, 1), -1);
                  EXPECT_EQ(errno, EIDRM);
                }};
  ASSERT_TRUE(reader.waits());
  EXPECT_EQ(close(fd), 0);
}

TEST(Proxy, WritesWhatAThreadPrints) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int proxy = evl_new_proxy(ends[1], 256, "%s", unique_name("proxy").c_str());
  ASSERT_GE(proxy, 0);
  attached([&] {
    for (int n = 0; n < 5; ++n) EXPECT_EQ(evl_print_proxy(proxy, "line %d\n", n), 7);
    EXPECT_FALSE(evl_is_inband());
  });
  EXPECT_EQ(evl_print_proxy(proxy, "in-band\n"), 8);
  std::string all;
  char buffer[64];
  while (all.size() < 43) {
    const ssize_t got = read(ends[0], buffer, sizeof(buffer));
    ASSERT_GT(got, 0);
    all.append(buffer, static_cast<size_t>(got));
  }
  EXPECT_EQ(all, "line 0\nline 1\nline 2\nline 3\nline 4\nin-band\n");
  EXPECT_TRUE(until([&] { return (ready(proxy) & POLLOUT) != 0; }));
  for (const int fd : {proxy, ends[0], ends[1]}) EXPECT_EQ(close(fd), 0);
}

// A pipe that nobody empties: the worker gets stuck in it, the ring fills up, and a thread waits
// for room.
TEST(Proxy, WriterWaitsForRoom) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
  const int proxy = evl_new_proxy(ends[1], 1024, nullptr);
  ASSERT_GE(proxy, 0);
  constexpr int kPieces = 20;
  Thread writer{{}, [&] {
                  const std::array<char, 512> piece{};
                  for (int n = 0; n < kPieces; ++n)
                    ASSERT_EQ(oob_write(proxy, piece.data(), piece.size()), 512);
                }};
  ASSERT_TRUE(writer.waits());
  std::array<char, 512> buffer{};
  size_t total = 0;
  while (total < kPieces * 512) {
    const ssize_t got = read(ends[0], buffer.data(), buffer.size());
    ASSERT_GT(got, 0);
    total += static_cast<size_t>(got);
  }
  writer.join();
  for (const int fd : {proxy, ends[0], ends[1]}) EXPECT_EQ(close(fd), 0);
}

TEST(Proxy, WriteErrors) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int proxy = evl_create_proxy(ends[1], 64, 8, EVL_CLONE_PRIVATE, nullptr);
  ASSERT_GE(proxy, 0);
  char text[128]{};
  EXPECT_EQ(evl_write_proxy(proxy, text, 72), -EFBIG);
  EXPECT_EQ(evl_write_proxy(proxy, text, 7), -EINVAL);
  EXPECT_EQ(evl_write_proxy(proxy, text, 0), 0);
  EXPECT_EQ(evl_read_proxy(proxy, text, 8), -ENXIO);
  attached([&] {
    EXPECT_EQ(evl_write_proxy(proxy, text, 72), -EFBIG);
    EXPECT_EQ(evl_write_proxy(proxy, text, 7), -EINVAL);
    EXPECT_EQ(evl_read_proxy(proxy, text, 8), -ENXIO);
    EXPECT_EQ(evl_write_proxy(proxy, reinterpret_cast<void*>(0x1000), 8), -EFAULT);
    EXPECT_EQ(evl_print_proxy(-1, "nowhere"), -EBADFD);
    EXPECT_FALSE(evl_is_inband());
  });
  EXPECT_EQ(evl_create_proxy(4000, 64, 0, EVL_CLONE_PRIVATE, nullptr), -EBADF);
  EXPECT_EQ(evl_create_proxy(ends[1], 60, 8, EVL_CLONE_PRIVATE, nullptr), -EINVAL);
  EXPECT_EQ(evl_create_proxy(ends[1], 0, 0, EVL_CLONE_OUTPUT, nullptr), -EINVAL);
  for (const int fd : {proxy, ends[0], ends[1]}) EXPECT_EQ(close(fd), 0);
}

TEST(Proxy, ReadsAhead) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const int proxy = evl_create_proxy(ends[1], 256, 0, EVL_CLONE_INPUT, nullptr);
  ASSERT_GE(proxy, 0);
  Thread reader{{}, [&] {
                  char text[16]{};
                  EXPECT_EQ(oob_read(proxy, text, 4), 4);
                  EXPECT_STREQ(text, "ping");
                  EXPECT_EQ(oob_read(proxy, text, 4), 4);
                  EXPECT_STREQ(text, "pong");
                  EXPECT_FALSE(evl_is_inband());
                  EXPECT_EQ(oob_read(proxy, text, 4), 0);  // The end of the file.
                }};
  ASSERT_TRUE(reader.waits());
  EXPECT_EQ(write(ends[0], "ping", 4), 4);
  ASSERT_TRUE(reader.waits());
  EXPECT_EQ(write(ends[0], "pong", 4), 4);
  EXPECT_EQ(shutdown(ends[0], SHUT_WR), 0);
  reader.join();
  for (const int fd : {proxy, ends[0], ends[1]}) EXPECT_EQ(close(fd), 0);
}

TEST(Proxy, PublishesMemory) {
  const int memory = memfd_create("shared", MFD_CLOEXEC);
  ASSERT_GE(memory, 0);
  ASSERT_EQ(ftruncate(memory, 4096), 0);
  const std::string name = unique_name("memory");
  const int proxy = evl_new_proxy(memory, 0, "/%s", name.c_str());
  ASSERT_GE(proxy, 0);
  const int opened = open(("/dev/evl/proxy/" + name).c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(opened, 0);
  auto* const one =
      static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0));
  auto* const other =
      static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0));
  ASSERT_NE(one, MAP_FAILED);
  ASSERT_NE(other, MAP_FAILED);
  one[100] = 'm';
  EXPECT_EQ(other[100], 'm');
  EXPECT_EQ(munmap(one, 4096), 0);
  EXPECT_EQ(munmap(other, 4096), 0);
  for (const int fd : {memory, proxy, opened}) EXPECT_EQ(close(fd), 0);
}
