//go:build unix

package eostest

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/pabal-dev/pabal/streams"
)

// checkStores of a folder, completed from the changelogs.
func checkStores(tb *testing.T, with settings, want map[string]series) {
	tb.Helper()
	with.Standbys, with.Instance = 0, ""
	t, err := topology()
	if err != nil {
		tb.Fatal(err)
	}
	app, err := streams.New(t, with.config())
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	if err := app.Start(ctx); err != nil {
		tb.Fatal(err)
	}
	defer app.Stop(ctx)
	await(tb, "all tasks are here", func() string {
		if n := len(app.Stats().Tasks); app.State() != streams.Running || n != 3*partitions {
			return fmt.Sprintf("%s with %d tasks", app.State(), n)
		}
		return ""
	})
	for _, name := range []string{minimum, sum, count, mixed, maximum, groups} {
		store, err := streams.WaitStore[string, int64](ctx, app, name)
		if err != nil {
			tb.Fatal(err)
		}
		got := map[string]int64{}
		for p, err := range store.All(ctx) {
			if err != nil {
				tb.Fatal(err)
			}
			got[p.Key] = p.Value
		}
		equalStores(tb, name, got, want[name].lasts())
	}
	equalStores(tb, windows, windowsOf(ctx, tb, app), want[windows].lasts())
}

func windowsOf(ctx context.Context, tb *testing.T, app *streams.App) map[string]int64 {
	tb.Helper()
	store, err := streams.WaitWindowStore[string, int64](ctx, app, windows)
	if err != nil {
		tb.Fatal(err)
	}
	got := map[string]int64{}
	for p, err := range store.FetchAll(ctx, 0, math.MaxInt64) {
		if err != nil {
			tb.Fatal(err)
		}
		got[windowName(p.Key, p.Value)] = p.Value
	}
	return got
}

func equalStores(tb *testing.T, store string, got, want map[string]int64) {
	tb.Helper()
	wrong := 0
	for key, v := range want {
		if n, ok := got[key]; !ok || n != v {
			if wrong++; wrong <= 5 {
				tb.Errorf("store %s has %d (%t) for %s, wanted %d", store, n, ok, key, v)
			}
		}
	}
	if len(got) != len(want) || wrong > 0 {
		tb.Errorf("store %s: %d keys, wanted %d; %d are wrong", store, len(got), len(want), wrong)
	}
}
