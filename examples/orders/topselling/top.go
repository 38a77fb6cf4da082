package topselling

import (
	"cmp"
	"context"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/streams/state"
)

// Top are the restaurants that sold most in a window.
type Top struct {
	// WindowStart and WindowEnd bound the orders' approvals: start <= t < end. They are absent
	// where nothing was sold in any window that is kept.
	WindowStart time.Time `json:"windowStart,omitzero"`
	WindowEnd   time.Time `json:"windowEnd,omitzero"`
	// Restaurants, most orders first, of as many the larger revenue.
	Restaurants []Place `json:"restaurants"`
}

// Place is a restaurant with what it sold.
type Place struct {
	RestaurantID string `json:"restaurantId"`
	Sales
}

// windows reads Store; a *streams.WindowStore[string, Sales] does.
type windows interface {
	FetchAll(ctx context.Context, from, to int64) iter.Seq2[state.Pair[state.Windowed[string], Sales], error]
}

// topAt are the first ones of the window that at is in.
func topAt(ctx context.Context, w windows, at time.Time, limit int) (Top, error) {
	start := at.UnixMilli() - at.UnixMilli()%Window.Milliseconds()
	top, err := newest(w.FetchAll(ctx, start, start), limit)
	top.WindowStart, top.WindowEnd = time.UnixMilli(start).UTC(), time.UnixMilli(start).UTC().Add(Window)
	return top, err
}

// topNow are the first ones of the newest window in which something was sold.
func topNow(ctx context.Context, w windows, now time.Time, limit int) (Top, error) {
	top, err := newest(w.FetchAll(ctx, now.Add(-2*Window).UnixMilli(), math.MaxInt64), limit)
	if err != nil || len(top.Restaurants) > 0 {
		return top, err
	}
	return newest(w.FetchAll(ctx, 0, math.MaxInt64), limit) // nothing was sold lately
}

// newest are the first ones of the newest window in which something was sold.
func newest(all iter.Seq2[state.Pair[state.Windowed[string], Sales], error], limit int) (Top, error) {
	top, start := Top{Restaurants: []Place{}}, int64(math.MinInt64)
	for p, err := range all {
		if err != nil {
			return top, err
		}
		if p.Key.Window.Start < start || p.Value.Orders == 0 {
			continue
		}
		if p.Key.Window.Start > start {
			start, top.Restaurants = p.Key.Window.Start, top.Restaurants[:0]
		}
		top.Restaurants = append(top.Restaurants, Place{p.Key.Key, p.Value})
	}
	if len(top.Restaurants) == 0 {
		return top, nil
	}
	top.WindowStart, top.WindowEnd = time.UnixMilli(start).UTC(), time.UnixMilli(start).UTC().Add(Window)
	slices.SortFunc(top.Restaurants, func(x, y Place) int {
		return cmp.Or(cmp.Compare(y.Orders, x.Orders), cmp.Compare(y.Revenue, x.Revenue), cmp.Compare(x.RestaurantID, y.RestaurantID))
	})
	top.Restaurants = top.Restaurants[:min(limit, len(top.Restaurants))]
	return top, nil
}
