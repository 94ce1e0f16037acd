// SPDX-License-Identifier: MIT
// The helper headers, against naive models. What is tested is what C programs include, too.

#include "evl/list.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

#include "evl/atomic.h"

namespace {

struct Item {
  int value{};
  list_head link{&link, &link};
};

std::vector<int> forward(list_head& head) {
  std::vector<int> values;
  Item* item = nullptr;
  list_for_each_entry(item, &head, link) values.push_back(item->value);
  return values;
}

std::vector<int> backward(list_head& head) {
  std::vector<int> values;
  Item* item = nullptr;
  list_for_each_entry_reverse(item, &head, link) values.insert(values.begin(), item->value);
  return values;
}

TEST(List, RandomOperationsFollowADeque) {
  std::mt19937 random{3};
  for (int round = 0; round < 200; ++round) {
    std::vector<Item> items(8);
    DEFINE_LIST_HEAD(head);
    std::deque<int> model;
    for (int n = 0; n < 8; ++n) items[static_cast<size_t>(n)].value = n;
    for (int step = 0; step < 100; ++step) {
      Item& item = items[random() % items.size()];
      const bool linked = std::find(model.begin(), model.end(), item.value) != model.end();
      ASSERT_EQ(list_is_linked(&item.link), linked);
      switch (random() % 4) {
        case 0:
          if (linked) break;
          list_append(&item.link, &head);
          model.push_back(item.value);
          break;
        case 1:
          if (linked) break;
          list_prepend(&item.link, &head);
          model.push_front(item.value);
          break;
        case 2:
          if (!linked) break;
          list_remove_init(&item.link);
          std::erase(model, item.value);
          break;
        default:
          if (model.empty()) break;
          Item* const first = list_pop_entry(&head, Item, link);
          list_init(&first->link);
          ASSERT_EQ(first->value, model.front());
          model.pop_front();
      }
      const std::vector<int> wanted{model.begin(), model.end()};
      ASSERT_EQ(forward(head), wanted);
      ASSERT_EQ(backward(head), wanted);
      ASSERT_EQ(list_empty(&head), model.empty());
    }
  }
}

TEST(List, NeighboursEndWithNull) {
  Item items[2];
  DEFINE_LIST_HEAD(head);
  list_append(&items[0].link, &head);
  list_append(&items[1].link, &head);
  EXPECT_TRUE(list_is_heading(&items[0].link, &head));
  EXPECT_EQ(list_next_entry(&items[0], &head, link), &items[1]);
  EXPECT_EQ(list_next_entry(&items[1], &head, link), nullptr);
  EXPECT_EQ(list_prev_entry(&items[1], &head, link), &items[0]);
  EXPECT_EQ(list_prev_entry(&items[0], &head, link), nullptr);
  EXPECT_EQ(list_first_entry(&head, Item, link), &items[0]);
  EXPECT_EQ(list_last_entry(&head, Item, link), &items[1]);
}

TEST(List, SafeLoopsMayUnlinkAndJoinsEmptyTheirSource) {
  std::vector<Item> items(6);
  DEFINE_LIST_HEAD(one);
  DEFINE_LIST_HEAD(two);
  for (int n = 0; n < 6; ++n) {
    items[static_cast<size_t>(n)].value = n;
    list_append(&items[static_cast<size_t>(n)].link, n < 3 ? &one : &two);
  }
  list_join(&two, &one);
  EXPECT_TRUE(list_empty(&two));
  list_join(&two, &one);
  EXPECT_EQ(forward(one), (std::vector<int>{0, 1, 2, 3, 4, 5}));
  Item* item = nullptr;
  Item* next = nullptr;
  list_for_each_entry_safe(item, next, &one, link) {
    if (item->value % 2 == 0) list_remove_init(&item->link);
  }
  EXPECT_EQ(forward(one), (std::vector<int>{1, 3, 5}));
  list_for_each_entry_reverse_safe(item, next, &one, link) {
    if (item->value == 3) list_remove_init(&item->link);
  }
  EXPECT_EQ(backward(one), (std::vector<int>{1, 5}));
}

TEST(Atomic, ASwapTellsTheValueBefore) {
  atomic_t value = 5;
  EXPECT_EQ(atomic_cmpxchg(&value, 5, 7), 5);
  EXPECT_EQ(atomic_read(&value), 7);
  EXPECT_EQ(atomic_cmpxchg(&value, 5, 9), 7);
  EXPECT_EQ(atomic_read(&value), 7);
  uatomic_t loop = 0;
  while (atomic_cmpxchg_weak(&loop, 0u, 1u) != 0u) {
  }
  EXPECT_EQ(atomic_read(&loop), 1u);
}

TEST(Compiler, Arithmetic) {
  EXPECT_EQ(__align_to(13, 8), 16);
  EXPECT_EQ(__align_to(16, 8), 16);
  EXPECT_EQ(__tzcount(8u), 3);
  EXPECT_EQ(__lzcount(1u), 31);
  EXPECT_EQ(__lzcount(1ull), 63);
  Item item;
  EXPECT_EQ(container_of(&item.link, Item, link), &item);
  char bytes[4];
  EXPECT_EQ(__memoff(bytes, bytes + 3), 3u);
  EXPECT_EQ(__memptr(bytes, 2), bytes + 2);
}

}  // namespace
