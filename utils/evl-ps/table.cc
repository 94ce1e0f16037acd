// SPDX-License-Identifier: MIT

#include "evl-ps/table.h"

#include <algorithm>
#include <functional>

#include "common/json.h"
#include "common/text.h"

namespace utils {
namespace {

// A column prints its title and its cells equally wide; the last one, NAME, has no width.
struct Column {
  const char* title;
  std::string (*cell)(const ThreadRow& row);
};

long long wide(int64_t value) {
  return static_cast<long long>(value);
}

std::string cpu_cell(const ThreadRow& row) {
  return format("%3d   ", row.cpu);
}
std::string pid_cell(const ThreadRow& row) {
  return format("%-6lld", wide(row.pid));
}
std::string policy_cell(const ThreadRow& row) {
  return format("%5s   ", row.policy.c_str());
}
std::string priority_cell(const ThreadRow& row) {
  return format("%3d   ", row.priority);
}
std::string isw_cell(const ThreadRow& row) {
  return format("%-8lld", wide(row.inband_switches));
}
std::string csw_cell(const ThreadRow& row) {
  return format("%-10lld", wide(row.context_switches));
}
std::string sys_cell(const ThreadRow& row) {
  return format("%-10lld", wide(row.requests));
}
std::string rwa_cell(const ThreadRow& row) {
  return format("%-10lld", wide(row.remote_wakeups));
}
std::string stat_cell(const ThreadRow& row) {
  return format(" %-8s", state_labels(row.state).c_str());
}
std::string hex_cell(const ThreadRow& row) {
  return format(" %-8x", row.state);
}
std::string timeout_cell(const ThreadRow& row) {
  return format("%-13s", format_timeout(row.timeout_ns).c_str());
}
std::string share_cell(const ThreadRow& row) {
  const auto permille = static_cast<unsigned int>(row.cpu_permille);
  return format("%3u.%u  ", permille / 10, permille % 10);
}
std::string time_cell(const ThreadRow& row) {
  return format_cpu_time(row.cpu_time_ns) + "  ";
}
std::string wchan_cell(const ThreadRow& row) {
  return format("%-22s", row.wchan.c_str());
}
std::string name_cell(const ThreadRow& row) {
  return row.in_user_space() ? row.name : "[" + row.name + "]";
}

constexpr Column kTimeout{"TIMEOUT      ", timeout_cell};
constexpr Column kRemote{"RWA       ", rwa_cell};
constexpr Column kWchan{"WCHAN                 ", wchan_cell};

std::vector<Column> columns_of(const Groups& groups) {
  const Column stat{" STAT    ", groups.numeric ? hex_cell : stat_cell};
  std::vector<Column> columns{{"CPU   ", cpu_cell}, {"PID   ", pid_cell}};
  const auto add = [&](bool asked, std::initializer_list<Column> more) {
    if (asked) columns.insert(columns.end(), more);
  };
  add(groups.policy, {{"SCHED   ", policy_cell}, {"PRIO  ", priority_cell}});
  if (groups.wait && !groups.policy && !groups.state && !groups.times) {
    add(true, {kTimeout, kRemote, stat, kWchan});
  } else {
    add(groups.state, {{"ISW     ", isw_cell}, {"CTXSW     ", csw_cell}, {"SYS       ", sys_cell}});
    add(groups.state || groups.wait, {kRemote, stat});
    add(groups.times || groups.wait, {kTimeout});
    add(groups.times, {{" %CPU  ", share_cell}, {"      CPUTIME  ", time_cell}});
    add(groups.wait, {kWchan});
  }
  columns.push_back({"NAME", name_cell});
  return columns;
}

int64_t figure(const ThreadRow& row, SortKey key) {
  switch (key) {
    case SortKey::pid:
      return row.pid;
    case SortKey::cpu_share:
      return row.cpu_permille;
    case SortKey::inband_switches:
      return row.inband_switches;
    case SortKey::cpu_time:
      return row.cpu_time_ns;
    case SortKey::context_switches:
      return row.context_switches;
    case SortKey::remote_wakeups:
      return row.remote_wakeups;
  }
  return 0;
}

}  // namespace

std::optional<Order> Order::parse(std::string_view letters) {
  Order order;
  for (const char letter : letters) {
    switch (letter) {
      case 'c':
        order.key = SortKey::cpu_share;
        break;
      case 'i':
        order.key = SortKey::inband_switches;
        break;
      case 't':
        order.key = SortKey::cpu_time;
        break;
      case 'x':
        order.key = SortKey::context_switches;
        break;
      case 'w':
        order.key = SortKey::remote_wakeups;
        break;
      case 'r':
        order.reverse = true;
        break;
      default:
        return std::nullopt;
    }
  }
  return order;
}

Wanted wanted_for(const Groups& groups, const Order& order) {
  return {.stats = groups.state || groups.times || groups.wait || order.needs_stats(),
          .timeout = groups.times || groups.wait,
          .wchan = groups.wait};
}

void sort_rows(std::vector<ThreadRow>* rows, Order order) {
  const auto before = [&](const ThreadRow& a, const ThreadRow& b) {
    const int64_t first = figure(a, order.key);
    const int64_t second = figure(b, order.key);
    if (first == second) return a.pid < b.pid;
    return order.key == SortKey::pid ? first < second : first > second;
  };
  std::stable_sort(rows->begin(), rows->end(), before);
  if (order.reverse) std::reverse(rows->begin(), rows->end());
}

void keep_cpus(std::vector<ThreadRow>* rows, const std::set<int>& cpus) {
  std::erase_if(*rows, [&](const ThreadRow& row) { return !cpus.contains(row.cpu); });
}

std::string format_table(const std::vector<ThreadRow>& rows, const Groups& groups) {
  const auto columns = columns_of(groups);
  std::string text;
  for (const Column& column : columns) text += column.title;
  text += '\n';
  for (const ThreadRow& row : rows) {
    for (const Column& column : columns) text += column.cell(row);
    text += '\n';
  }
  return text;
}

std::string format_json(const std::vector<ThreadRow>& rows, const Groups& groups) {
  JsonWriter json;
  json.begin_array();
  for (const ThreadRow& row : rows) {
    json.begin_object().member("name", row.name).member("kernel", !row.in_user_space());
    json.member("cpu", row.cpu).member("pid", row.pid);
    if (groups.policy) {
      json.member("policy", row.policy).member("priority", row.priority);
      json.member("base_priority", row.base_priority);
    }
    if (groups.state) {
      json.member("inband_switches", row.inband_switches);
      json.member("context_switches", row.context_switches).member("requests", row.requests);
    }
    if (groups.state || groups.wait) {
      json.member("remote_wakeups", row.remote_wakeups).member("state", row.state);
      json.member("state_labels", state_labels(row.state));
    }
    if (groups.times || groups.wait) json.member("timeout_ns", row.timeout_ns);
    if (groups.times) {
      json.member("cpu_permille", row.cpu_permille).member("cpu_time_ns", row.cpu_time_ns);
    }
    if (groups.wait) json.member("wchan", row.wchan);
    json.end_object();
  }
  return json.end_array().text() + '\n';
}

std::string format_timeout(int64_t timeout_ns) {
  const long long us = wide(timeout_ns) / 1000;
  if (us < 1) return "-";
  if (us < 1000) return format("%lld", us);
  if (us < 1'000'000) return format("%lld.%.3lld", us / 1000, us % 1000);
  return format("%lld:%.3lld.%.3lld", us / 1'000'000, us / 1000 % 1000, us % 1000);
}

std::string format_cpu_time(int64_t time_ns) {
  const long long us = wide(time_ns) / 1000;
  return format("%5lld:%.3lld.%.3lld", us / 1'000'000, us / 1000 % 1000, us % 1000);
}

}  // namespace utils
