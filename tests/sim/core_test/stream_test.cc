// SPDX-License-Identifier: MIT
//
// Goal: bytes cross the stages in order and whole, through cross-buffers and file proxies, whoever
// waits for whom. Method: writers and readers on both stages, random schedules.

#include <evl/factory-abi.h>
#include <evl/proxy-abi.h>
#include <evl/syscall-abi.h>
#include <evl/xbuf-abi.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core_test/bench.h"

namespace sim {
namespace {

constexpr unsigned kSeeds = 150;
constexpr unsigned kRecords = 12;
constexpr unsigned kNonblock = 04000;
constexpr unsigned kIn = 0x41;    // POLLIN, POLLRDNORM
constexpr unsigned kOut = 0x104;  // POLLOUT, POLLWRNORM

int make(const char* device, void* attributes, std::uint32_t flags = 0,
         const char* name = nullptr) {
  const int clone_fd = open_file(device);
  expect(clone_fd >= 0, "opening the clone device", clone_fd);
  evl_clone_req request{};
  request.name_ptr = reinterpret_cast<std::uintptr_t>(name);
  request.attrs_ptr = reinterpret_cast<std::uintptr_t>(attributes);
  request.clone_flags = flags;
  const long status = inband_ioctl(clone_fd, EVL_IOC_CLONE, &request);
  close_file(clone_fd);
  return status < 0 ? static_cast<int>(status) : static_cast<int>(request.efd);
}

int make_xbuf(std::uint32_t inbound, std::uint32_t outbound, const char* name = nullptr) {
  evl_xbuf_attrs attributes{.i_bufsz = inbound, .o_bufsz = outbound};
  return make("/dev/evl/xbuf/clone", &attributes, 0, name);
}

int make_proxy(int target, std::uint32_t bytes, std::uint32_t granularity, std::uint32_t flags) {
  evl_proxy_attrs attributes{
      .fd = static_cast<std::uint32_t>(target), .bufsz = bytes, .granularity = granularity};
  return make("/dev/evl/proxy/clone", &attributes, flags);
}

void set_nonblock(int fd) {
  lx().call(72, [fd] {
    lx().file_at(fd)->flags |= kNonblock;
    return 0L;
  });
}

// Reads records of eight bytes, which must be 0, 1, 2...
template <typename Read>
void read_records(const Read& read) {
  for (std::uint64_t wanted = 0; wanted < kRecords; ++wanted) {
    std::uint64_t found = ~std::uint64_t{0};
    const long got = read(&found, sizeof found);
    expect(got == sizeof found, "a reader got", got);
    expect(found == wanted, "a record out of order", static_cast<long>(found));
  }
}
template <typename Write>
void write_records(const Write& write) {
  for (std::uint64_t record = 0; record < kRecords; ++record) {
    const long sent = write(&record, sizeof record);
    expect(sent == sizeof record, "a writer sent", sent);
  }
}

TEST(Xbuf, InboundRecordsArriveInOrder) {
  EXPECT_EQ(
      "", CoreBench::run_all(kSeeds, [](UserProcess& process) {
        const int fd = make_xbuf(20, 0);
        Task& writer = start_thread(process, "writer", 1, 20, [fd](UserThread&) {
          write_records([fd](const void* from, std::size_t n) { return oob_write(fd, from, n); });
        });
        read_records([fd](void* to, std::size_t n) { return inband_read(fd, to, n); });
        join(writer);
      }));
}

TEST(Xbuf, OutboundRecordsArriveInOrder) {
  EXPECT_EQ(
      "", CoreBench::run_all(kSeeds, [](UserProcess& process) {
        const int fd = make_xbuf(0, 24);
        Task& reader = start_thread(process, "reader", 0, 20, [fd](UserThread&) {
          read_records([fd](void* to, std::size_t n) { return oob_read(fd, to, n); });
        });
        write_records([fd](const void* from, std::size_t n) { return inband_write(fd, from, n); });
        join(reader);
      }));
}

TEST(Xbuf, BothDirectionsAtOnce) {
  EXPECT_EQ("", CoreBench::run_all(kSeeds, [](UserProcess& process) {
              const int fd = make_xbuf(16, 16);
              Task& echo = start_thread(process, "echo", 1, 20, [fd](UserThread&) {
                for (unsigned i = 0; i < kRecords; ++i) {
                  std::uint64_t record = 0;
                  expect(oob_read(fd, &record, sizeof record) == sizeof record, "echo reads");
                  expect(oob_write(fd, &record, sizeof record) == sizeof record, "echo writes");
                }
              });
              Task& source = start_inband_thread("source", 0, [fd] {
                write_records(
                    [fd](const void* from, std::size_t n) { return inband_write(fd, from, n); });
              });
              read_records([fd](void* to, std::size_t n) { return inband_read(fd, to, n); });
              join(source);
              join(echo);
            }));
}

TEST(Xbuf, NonblockingEndsSayWhatThereIs) {
  EXPECT_EQ("", CoreBench::run_all(30, [](UserProcess& process) {
              const int fd = make_xbuf(8, 8, "named");
              set_nonblock(fd);
              const std::string device = "/dev/evl/xbuf/named";
              std::uint64_t word = 7;
              expect(inband_read(fd, &word, 8) == -EAGAIN, "nothing to read");
              expect(lx().poll(fd) == kOut, "there is room to write only", lx().poll(fd));
              expect(inband_write(fd, &word, 8) == 8, "room for eight");
              expect(inband_write(fd, &word, 1) == -EAGAIN, "no room");
              expect(inband_write(fd, &word, 9) == -EINVAL, "more than the ring");
              expect(lx().poll(fd) == 0U, "neither", lx().poll(fd));
              expect(attribute(device, "rings") == "0 8 8 8\n", "the attribute rings");
              Task& thread = start_thread(process, "T", 0, 10, [fd](UserThread&) {
                std::uint64_t got = 0;
                expect(oob_read(fd, &got, 8) == 8 && got == 7, "what was written");
                expect(oob_read(fd, &got, 8) == -EAGAIN, "nothing more");
                expect(oob_write(fd, &got, 8) == 8, "the other way");
                expect(oob_write(fd, nullptr, 1) == -EAGAIN, "full");
              });
              join(thread);
              expect(lx().poll(fd) == (kIn | kOut), "both", lx().poll(fd));
            }));
}

TEST(Xbuf, WrongAttributesAreRefused) {
  EXPECT_EQ("", CoreBench::run(1, [](UserProcess&) {
              expect(make_xbuf(0, 0) == -EINVAL, "no direction");
              expect(make_xbuf(1U << 31U, 0) == -EINVAL, "too large");
              expect(make("/dev/evl/xbuf/clone", nullptr) == -EINVAL, "no attributes");
              const int fd = make_xbuf(8, 0);
              std::uint64_t word = 0;
              expect(inband_write(fd, &word, 8) == -ENOBUFS, "no outbound ring");
              expect(make_xbuf(8, 8, "twice") >= 0 && make_xbuf(8, 8, "twice") == -EEXIST,
                     "one name");
            }));
}

TEST(Xbuf, CloseWakesTheSleepers) {
  EXPECT_EQ("", CoreBench::run_all(kSeeds, [](UserProcess& process) {
              const int fd = make_xbuf(8, 8);
              Task& reader = start_thread(process, "reader", 1, 20, [fd](UserThread&) {
                std::uint64_t word = 0;
                const long got = oob_read(fd, &word, 8);
                expect(got == -EIDRM, "the reader got", got);
              });
              // Asleep there: the descriptor's number is taken again soon after the close.
              while (attribute("/dev/evl/thread/thread%0", "wchan") != "xbuf-outbound\n")
                lx().call(35, [] {
                  lx().sleep_inband(3'000);
                  return 0L;
                });
              close_file(fd);
              join(reader);
            }));
}

TEST(Proxy, OutputReachesTheTargetInOrder) {
  EXPECT_EQ(
      "", CoreBench::run_all(kSeeds, [](UserProcess& process) {
        const int target = lx().open_plain("target", "");
        const int fd = make_proxy(target, 24, 8, EVL_CLONE_OUTPUT);
        Task& writer = start_thread(process, "writer", 1, 20, [fd](UserThread&) {
          write_records([fd](const void* from, std::size_t n) { return oob_write(fd, from, n); });
        });
        join(writer);
        // The worker is behind: what it has not written yet is in the ring.
        const std::string& there = lx().file_at(target)->received;
        for (int i = 0; i < 100 && there.size() < kRecords * 8; ++i)
          lx().call(35, [] {
            lx().sleep_inband(5'000);
            return 0L;
          });
        std::uint64_t wanted = 0;
        expect(there.size() == kRecords * 8, "bytes in the target",
               static_cast<long>(there.size()));
        for (std::size_t at = 0; at < there.size(); at += 8, ++wanted)
          expect(std::memcmp(there.data() + at, &wanted, 8) == 0, "record",
                 static_cast<long>(wanted));
        expect(lx().poll(fd) == kOut, "writable when all is out", lx().poll(fd));
      }));
}

TEST(Proxy, InputComesFromTheTarget) {
  EXPECT_EQ("", CoreBench::run_all(kSeeds, [](UserProcess& process) {
              const int target = lx().open_plain("target", "abcdefghijklmnop");
              const int fd = make_proxy(target, 8, 1, EVL_CLONE_INPUT);
              Task& reader = start_thread(process, "reader", 1, 20, [fd](UserThread&) {
                std::string all;
                for (;;) {
                  char some[4];
                  const long got = oob_read(fd, some, sizeof some);
                  if (got == 0) break;
                  expect(got > 0 && got <= 4, "the reader got", got);
                  all.append(some, static_cast<std::size_t>(got));
                }
                expect(all == "abcdefghijklmnop", "what the target held",
                       static_cast<long>(all.size()));
              });
              join(reader);
            }));
}

TEST(Proxy, WhatItCannotDoIsRefused) {
  EXPECT_EQ("", CoreBench::run_all(20, [](UserProcess&) {
              const int target = lx().open_plain("target", "xy");
              expect(make_proxy(-1, 8, 0, EVL_CLONE_OUTPUT) == -EBADF, "no target");
              expect(make_proxy(target, 8, 3, EVL_CLONE_OUTPUT) == -EINVAL, "granularity");
              expect(make_proxy(target, 0, 0, EVL_CLONE_OUTPUT) == -EINVAL, "no buffer");
              const int output = make_proxy(target, 8, 4, 0);
              char bytes[16] = {};
              expect(inband_read(output, bytes, 4) == -ENXIO, "no input");
              expect(inband_write(output, bytes, 16) == -EFBIG, "more than the buffer");
              expect(inband_write(output, bytes, 3) == -EINVAL, "not of the granularity");
              expect(inband_write(output, bytes, 8) == 8, "in-band writing");
              const int both = make_proxy(target, 8, 1, EVL_CLONE_INPUT | EVL_CLONE_OUTPUT);
              expect(inband_read(both, bytes, 1) == 1 && bytes[0] == 'x', "in-band reading");
              (void)lx().poll(both);
              const int mapped_only = make_proxy(target, 0, 0, 0);
              expect(mapped_only >= 0 && lx().poll(mapped_only) == 0U, "a proxy for mmap()");
            }));
}

}  // namespace
}  // namespace sim
