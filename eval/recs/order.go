package recs

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Order says what the order of a learner's rows means.
type Order string

// The orders.
const (
	OrderAuto Order = "auto" // by time where there is one; else by the file, unless that looks sorted
	OrderTime Order = "time" // by time where there is one; else by the file
	OrderNone Order = "none" // histories are sets
)

// Orders lists every order.
func Orders() []Order { return []Order{OrderAuto, OrderTime, OrderNone} }

// By whether practically all learners' rows are sorted by item, and by how likely
// chance would have sorted them, a file is taken for one without order.
const (
	sortedShare  = 0.98
	sortedChance = 1e-6
)

// ordered decides whether histories are in the order of time, and says why.
func (l *Log) ordered(o Order) (bool, string) {
	switch {
	case o == OrderNone:
		return false, "none, as asked"
	case l.Timed:
		return true, "by time"
	case o == OrderTime:
		return true, "as in the file, as asked"
	}
	if share, sorted := l.sorted(); sorted {
		return false, fmt.Sprintf("none: the rows of %.0f %% of the learners are sorted by item", 100*share)
	}
	return true, "as in the file"
}

// sorted reports the share of the learners with three rows or more whose rows rise
// by item id, and whether that is too many for an order in time.
func (l *Log) sorted() (share float64, is bool) {
	rank := l.idRanks()
	learners, rising, chance := 0, 0, 0.0 // chance: log of that of random orders to rise
	for _, rows := range l.byLearner() {
		items := make([]int32, 0, len(rows))
		for _, r := range rows {
			items = append(items, rank[r.Item])
		}
		if len(items) < 3 {
			continue
		}
		learners++
		if slices.IsSorted(items) {
			rising++
			lg, _ := math.Lgamma(float64(len(items)) + 1)
			chance -= lg
		}
	}
	if learners == 0 {
		return 0, false
	}
	share = float64(rising) / float64(learners)
	return share, share >= sortedShare && chance < math.Log(sortedChance)
}

// idRanks orders the items by id: as numbers where all of them are, else as text.
func (l *Log) idRanks() []int32 {
	numbers := make([]float64, len(l.Items))
	numeric := true
	for i, id := range l.Items {
		n, err := strconv.ParseFloat(id, 64)
		if err != nil {
			numeric = false
			break
		}
		numbers[i] = n
	}
	order := make([]int32, len(l.Items))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		if numeric && numbers[a] != numbers[b] {
			if numbers[a] < numbers[b] {
				return -1
			}
			return 1
		}
		return strings.Compare(l.Items[a], l.Items[b])
	})
	rank := make([]int32, len(order))
	for i, item := range order {
		rank[item] = int32(i)
	}
	return rank
}
