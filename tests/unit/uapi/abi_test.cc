// SPDX-License-Identifier: MIT
// The ABI as numbers: what a compiled application, or one in another language, has built in.

#include <asm-generic/dovetail.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include "evl/clock-abi.h"
#include "evl/control-abi.h"
#include "evl/devices/hectic.h"
#include "evl/devices/latmus.h"
#include "evl/factory-abi.h"
#include "evl/fcntl.h"
#include "evl/monitor-abi.h"
#include "evl/proxy-abi.h"
#include "evl/sched-abi.h"
#include "evl/signal.h"
#include "evl/syscall-abi.h"
#include "evl/thread-abi.h"
#include "evl/trace.h"
#include "evl/xbuf-abi.h"

namespace {

TEST(Abi, RequestCodesNeverChange) {
  EXPECT_EQ(EVL_IOC_CLONE, 0xc0286600u);
  EXPECT_EQ(EVL_CTLIOC_GET_COREINFO, 0x80184300u);
  EXPECT_EQ(EVL_CTLIOC_SCHEDCTL, 0xc0184301u);
  EXPECT_EQ(EVL_CTLIOC_GET_CPUSTATE, 0x80104302u);
  EXPECT_EQ(EVL_THRIOC_SIGNAL, 0x40045400u);
  EXPECT_EQ(EVL_THRIOC_SET_SCHEDPARAM, 0x40185401u);
  EXPECT_EQ(EVL_THRIOC_GET_SCHEDPARAM, 0x80185402u);
  EXPECT_EQ(EVL_THRIOC_JOIN, 0x5403u);
  EXPECT_EQ(EVL_THRIOC_GET_STATE, 0x80385404u);
  EXPECT_EQ(EVL_THRIOC_SWITCH_OOB, 0x5405u);
  EXPECT_EQ(EVL_THRIOC_SWITCH_INBAND, 0x5406u);
  EXPECT_EQ(EVL_THRIOC_DETACH_SELF, 0x5407u);
  EXPECT_EQ(EVL_THRIOC_SET_MODE, 0xc0045408u);
  EXPECT_EQ(EVL_THRIOC_CLEAR_MODE, 0xc0045409u);
  EXPECT_EQ(EVL_THRIOC_UNBLOCK, 0x540au);
  EXPECT_EQ(EVL_THRIOC_DEMOTE, 0x540bu);
  EXPECT_EQ(EVL_THRIOC_YIELD, 0x540cu);
  EXPECT_EQ(EVL_CLKIOC_SLEEP, 0x40106300u);
  EXPECT_EQ(EVL_CLKIOC_GET_RES, 0x80106301u);
  EXPECT_EQ(EVL_CLKIOC_GET_TIME, 0x80106302u);
  EXPECT_EQ(EVL_CLKIOC_SET_TIME, 0x40106303u);
  EXPECT_EQ(EVL_CLKIOC_NEW_TIMER, 0x6305u);
  EXPECT_EQ(EVL_TFDIOC_SET, 0xc0107400u);
  EXPECT_EQ(EVL_TFDIOC_GET, 0x80207401u);
  EXPECT_EQ(EVL_MONIOC_ENTER, 0x40106d00u);
  EXPECT_EQ(EVL_MONIOC_TRYENTER, 0x6d01u);
  EXPECT_EQ(EVL_MONIOC_EXIT, 0x6d02u);
  EXPECT_EQ(EVL_MONIOC_WAIT, 0xc0186d03u);
  EXPECT_EQ(EVL_MONIOC_UNWAIT, 0xc0046d04u);
  EXPECT_EQ(EVL_MONIOC_BIND, 0x80106d05u);
  EXPECT_EQ(EVL_MONIOC_SIGNAL, 0x40046d06u);
  EXPECT_EQ(EVL_MONIOC_BROADCAST, 0x40046d07u);
  EXPECT_EQ(EVL_MONIOC_WAIT_EXACT, 0xc0186d08u);
  EXPECT_EQ(EVL_MONIOC_TRYWAIT, 0xc0046d09u);
  EXPECT_EQ(EVL_MONIOC_TRYWAIT_EXACT, 0xc0046d0au);
  EXPECT_EQ(EVL_TRCIOC_SNAPSHOT, 0x4f00u);
  EXPECT_EQ(EVL_LATIOC_TUNE, 0xc0204c00u);
  EXPECT_EQ(EVL_LATIOC_MEASURE, 0xc0204c01u);
  EXPECT_EQ(EVL_LATIOC_RUN, 0x80104c02u);
  EXPECT_EQ(EVL_LATIOC_PULSE, 0x40084c03u);
  EXPECT_EQ(EVL_LATIOC_RESET, 0x4c04u);
  EXPECT_EQ(EVL_HECIOC_SET_TASKS_COUNT, 0x40044800u);
  EXPECT_EQ(EVL_HECIOC_SET_CPU, 0x40044801u);
  EXPECT_EQ(EVL_HECIOC_REGISTER_UTASK, 0x40084802u);
  EXPECT_EQ(EVL_HECIOC_CREATE_KTASK, 0xc0084803u);
  EXPECT_EQ(EVL_HECIOC_PEND, 0x80084804u);
  EXPECT_EQ(EVL_HECIOC_SWITCH_TO, 0x80084805u);
  EXPECT_EQ(EVL_HECIOC_GET_SWITCHES_COUNT, 0x80044806u);
  EXPECT_EQ(EVL_HECIOC_GET_LAST_ERROR, 0x800c4807u);
  EXPECT_EQ(EVL_HECIOC_SET_PAUSE, 0x40044808u);
  EXPECT_EQ(EVL_HECIOC_LOCK_STAX, 0x4809u);
  EXPECT_EQ(EVL_HECIOC_UNLOCK_STAX, 0x480au);
}

TEST(Abi, NumbersThatApplicationsWrite) {
  EXPECT_EQ(EVL_ABI_LEVEL, 36);
  EXPECT_EQ(EVL_ABI_BASE, 36);
  EXPECT_EQ(EVL_CLONE_PUBLIC, 0x10000u);
  EXPECT_EQ(EVL_CLONE_OUTPUT, 0x200000u);
  EXPECT_EQ(EVL_CLONE_MASK, 0x7fff0000u);
  EXPECT_EQ(EVL_CLOCK_MONOTONIC, -1);
  EXPECT_EQ(EVL_CLOCK_REALTIME, 0);
  EXPECT_EQ(SCHED_WEAK, 43);
  EXPECT_EQ(O_OOB, 1 << 30);
  EXPECT_EQ(PR_OOB_SYSCALL, 0x4f4f4243);
  EXPECT_EQ(PR_OOB_SYSCALL & __OOB_SYSCALL_BIT, 0) << "the older carriers stay apart";
  EXPECT_EQ(sys_evl_read, 0);
  EXPECT_EQ(sys_evl_write, 1);
  EXPECT_EQ(sys_evl_ioctl, 2);
  EXPECT_EQ(evl_get_index(0xc0000005u), 5u);
  EXPECT_EQ(EVL_T_WOSO, 1 << 22);
  EXPECT_EQ(EVL_T_NOMEM, 0x8000);
}

TEST(Abi, EveryStateBitHasALabel) {
  const char labels[] = EVL_THREAD_STATE_LABELS;
  const struct {
    unsigned int bit;
    char label;
  } rows[] = {{EVL_T_SUSP, 'S'},  {EVL_T_PEND, 'W'},    {EVL_T_DELAY, 'D'},  {EVL_T_WAIT, 'p'},
              {EVL_T_READY, 'R'}, {EVL_T_DORMANT, 'U'}, {EVL_T_ZOMBIE, 'Z'}, {EVL_T_INBAND, 'X'},
              {EVL_T_HALT, 'H'},  {EVL_T_BOOST, 'b'},   {EVL_T_PTSYNC, '#'}, {EVL_T_RRB, 'r'},
              {EVL_T_WOSS, 't'},  {EVL_T_PTRACE, 'T'},  {EVL_T_OBSERV, 'o'}, {EVL_T_WOSO, '.'}};
  for (const auto& row : rows) {
    EXPECT_EQ(labels[__builtin_ctz(row.bit)], row.label) << std::hex << row.bit;
  }
}

TEST(Abi, ABindingStartsWithItsTypeBits) {
  evl_monitor_binding binding{};
  binding.type = EVL_MONITOR_GATE;
  binding.protocol = EVL_GATE_PP;
  EXPECT_EQ(*reinterpret_cast<const __u32*>(&binding), 1u | (1u << 2));
  EXPECT_EQ(offsetof(evl_monitor_state, u.gate.owner), 4u);
  EXPECT_EQ(offsetof(evl_monitor_state, u.event.gate_offset), 12u);
}

}  // namespace
