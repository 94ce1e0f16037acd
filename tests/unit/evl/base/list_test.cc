// SPDX-License-Identifier: MIT
#include "base/list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

namespace evl {
namespace {

struct Node {
  int id = 0;
  ListHook hook;
};
using NodeList = List<Node, &Node::hook>;

std::deque<int> ids(NodeList& list) {
  std::deque<int> found;
  list.for_each([&](Node& node) { found.push_back(node.id); });
  return found;
}

TEST(List, KeepsOrder) {
  Node a{1, {}}, b{2, {}}, c{3, {}};
  NodeList list;
  list.push_back(b);
  list.push_back(c);
  list.push_front(a);
  EXPECT_EQ(ids(list), (std::deque<int>{1, 2, 3}));
  EXPECT_EQ(list.front().id, 1);
  EXPECT_EQ(list.back().id, 3);
  list.remove(b);
  EXPECT_FALSE(NodeList::linked(b));
  EXPECT_EQ(list.pop_front().id, 1);
  EXPECT_EQ(list.pop_front().id, 3);
  EXPECT_TRUE(list.empty());
}

TEST(List, VisitMayRemoveItsEntry) {
  Node nodes[4];
  NodeList list;
  for (Node& node : nodes) list.push_back(node);
  list.for_each([&](Node& node) { list.remove(node); });
  EXPECT_TRUE(list.empty());
}

TEST(List, BehavesLikeADeque) {
  std::mt19937 random{4};
  std::array<Node, 16> nodes;
  for (int i = 0; i < 16; ++i) nodes[i].id = i;
  NodeList list;
  std::deque<int> model;
  for (int step = 0; step < 50'000; ++step) {
    Node& node = nodes[random() % nodes.size()];
    if (NodeList::linked(node)) {
      list.remove(node);
      model.erase(std::find(model.begin(), model.end(), node.id));
    } else if (random() % 2 == 0) {
      list.push_back(node);
      model.push_back(node.id);
    } else {
      list.push_front(node);
      model.push_front(node.id);
    }
    ASSERT_TRUE(list.invariants_hold());
    ASSERT_EQ(ids(list), model) << "step " << step;
    const int wanted = static_cast<int>(random() % 16);
    Node* const found = list.find([&](Node& each) { return each.id == wanted; });
    ASSERT_EQ(found != nullptr, NodeList::linked(nodes[wanted]));
  }
  while (!list.empty()) (void)list.pop_front();
}

TEST(ListDeathTest, CatchesDoubleInsertionAndDeathWhileLinked) {
  EXPECT_DEATH(
      {
        Node node;
        NodeList list;
        list.push_back(node);
        list.push_back(node);
      },
      "linked");
  EXPECT_DEATH(
      {
        NodeList list;
        Node node;
        list.push_back(node);
      },
      "linked");
}

}  // namespace
}  // namespace evl
