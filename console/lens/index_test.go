package lens

import (
	"context"
	"log/slog"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
)

// BenchmarkSearch is what questions cost in an index of a million events: a page of
// the list, an event that is there, one that is not.
func BenchmarkSearch(b *testing.B) {
	config, err := Config{Window: 1000 * 24 * time.Hour, Logger: slog.New(slog.DiscardHandler)}.withDefaults()
	if err != nil {
		b.Fatal(err)
	}
	ix, err := openIndex(b.Context(), filepath.Join(b.TempDir(), "lens.db"), config)
	if err != nil {
		b.Fatal(err)
	}
	defer ix.close()
	var id string
	for range 1_000_000 / blockEvents {
		entries := typical(blockEvents)
		id = entries[0].id
		ix.add(entries)
		if err := ix.flush(b.Context(), progress{}); err != nil {
			b.Fatal(err)
		}
	}
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	b.Logf("%d events, %.1f MB in the file, %.1f MB in memory", ix.events, float64(ix.bytes)/1e6, float64(memory.HeapAlloc)/1e6)
	for name, ask := range map[string]func(context.Context) error{
		"latest": func(ctx context.Context) error {
			ids, err := ix.latest(ctx, "", 50)
			if err == nil {
				_, err = ix.summaries(ctx, ids)
			}
			return err
		},
		"found":     func(ctx context.Context) error { _, err := ix.find(ctx, id); return err },
		"not found": func(ctx context.Context) error { _, err := ix.find(ctx, event.NewID()); return err },
		"beginning": func(ctx context.Context) error { _, err := ix.latest(ctx, "nothing begins so", 50); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := ask(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
