// SPDX-License-Identifier: MIT
// The tree without keys: searched, walked and changed as the indices of handles and descriptors do
// it, and compared with a map.
#include "base/rb_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace evl {
namespace {

struct Entry {
  unsigned key = 0;
  RbHook hook;
};

Entry& entry_of(RbHook& hook) {
  return owner_of<Entry, &Entry::hook>(hook);
}

void insert(RbTree& tree, Entry& entry) {
  tree.insert(entry.hook, [&](RbHook& other) { return entry.key < entry_of(other).key; });
}

// As ElementIndex::lookup() and FileTable::find() do it, within the bound they state.
Entry* find(RbTree& tree, unsigned key) {
  LoopBound bound{RbTree::kMaxLevels};
  RbHook* node = tree.root();
  while (node != nullptr) {
    bound.step();
    Entry& entry = entry_of(*node);
    if (entry.key == key) return &entry;
    node = key < entry.key ? RbTree::left(*node) : RbTree::right(*node);
  }
  return nullptr;
}

std::vector<unsigned> keys(RbTree& tree) {
  std::vector<unsigned> found;
  for (RbHook* node = tree.first(); node != nullptr; node = RbTree::next(*node))
    found.push_back(entry_of(*node).key);
  return found;
}

unsigned depth(RbHook* node) {
  return node == nullptr ? 0
                         : 1 + std::max(depth(RbTree::left(*node)), depth(RbTree::right(*node)));
}

TEST(RbTree, WalksInOrderAndFindsWhatIsThere) {
  std::array<Entry, 5> entries;
  RbTree tree;
  EXPECT_TRUE(tree.empty());
  EXPECT_EQ(tree.first(), nullptr);
  for (const unsigned key : {3U, 1U, 4U, 0U, 2U}) {
    entries[key].key = key;
    insert(tree, entries[key]);
  }
  EXPECT_EQ(keys(tree), (std::vector<unsigned>{0, 1, 2, 3, 4}));
  EXPECT_EQ(find(tree, 4), &entries[4]);
  EXPECT_EQ(find(tree, 5), nullptr);
  tree.remove(entries[0].hook);
  EXPECT_FALSE(entries[0].hook.linked());
  EXPECT_EQ(tree.first(), &entries[1].hook);
  for (const unsigned key : {1U, 2U, 3U, 4U}) tree.remove(entries[key].hook);
  EXPECT_TRUE(tree.empty());
}

TEST(RbTree, BehavesLikeAMap) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random{seed};
    std::vector<Entry> entries(1 + random() % 200);
    RbTree tree;
    std::map<unsigned, Entry*> model;
    for (int step = 0; step < 3'000; ++step) {
      Entry& entry = entries[random() % entries.size()];
      if (entry.hook.linked()) {
        tree.remove(entry.hook);
        model.erase(entry.key);
      } else {
        do entry.key = static_cast<unsigned>(random() % (4 * entries.size()));
        while (model.count(entry.key) != 0);
        insert(tree, entry);
        model.emplace(entry.key, &entry);
      }
      const auto wanted = static_cast<unsigned>(random() % (4 * entries.size()));
      const auto expected = model.find(wanted);
      ASSERT_EQ(find(tree, wanted), expected == model.end() ? nullptr : expected->second)
          << "seed " << seed << ", step " << step;
      if (step % 16 != 0) continue;
      ASSERT_TRUE(tree.invariants_hold()) << "seed " << seed << ", step " << step;
      std::vector<unsigned> in_order;
      for (const auto& [key, each] : model) in_order.push_back(key);
      ASSERT_EQ(keys(tree), in_order) << "seed " << seed << ", step " << step;
    }
    while (tree.first() != nullptr) tree.remove(*tree.first());
  }
}

// Goal: kMaxLevels bounds each loop over levels. Orders that make a plain tree a list do not.
TEST(RbTree, StaysAsFlatAsItPromises) {
  constexpr unsigned kEntries = 20'000;
  for (const int order : {0, 1, 2}) {
    std::vector<Entry> entries(kEntries);
    RbTree tree;
    for (unsigned i = 0; i < kEntries; ++i) {
      // Up, down, and from both ends to the middle.
      entries[i].key = order == 0   ? i
                       : order == 1 ? kEntries - i
                       : i % 2 == 0 ? i
                                    : 2 * kEntries - i;
      insert(tree, entries[i]);
    }
    ASSERT_TRUE(tree.invariants_hold());
    EXPECT_LE(depth(tree.root()), 2 * std::bit_width(kEntries + 1)) << "order " << order;
    for (unsigned i = 0; i < kEntries; i += 2) tree.remove(entries[i].hook);
    ASSERT_TRUE(tree.invariants_hold());
    EXPECT_LE(depth(tree.root()), 2 * std::bit_width(kEntries / 2 + 1)) << "order " << order;
    while (tree.first() != nullptr) tree.remove(*tree.first());
  }
}

TEST(RbTreeDeathTest, CatchesDoubleInsertionAndDeathWhileLinked) {
  EXPECT_DEATH(
      {
        Entry entry;
        RbTree tree;
        insert(tree, entry);
        insert(tree, entry);
      },
      "linked");
  EXPECT_DEATH(
      {
        RbTree tree;
        Entry entry;
        insert(tree, entry);
      },
      "linked");
}

}  // namespace
}  // namespace evl
