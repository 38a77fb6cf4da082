package projection_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

func TestConfig(t *testing.T) {
	ok := func() projection.Config[*memTx] {
		return projection.Config[*memTx]{Name: "v", Handler: func(context.Context, *memTx, projection.Envelope) error { return nil }}
	}
	for what, change := range map[string]func(*projection.Config[*memTx]){
		"name":        func(c *projection.Config[*memTx]) { c.Name = "a b" },
		"exactly one": func(c *projection.Config[*memTx]) { c.Handler = nil },
		"of Handler": func(c *projection.Config[*memTx]) {
			c.Outside = func(context.Context, []projection.Envelope) error { return nil }
		},
		"kind":              func(c *projection.Config[*memTx]) { c.Query.Kind = 7 },
		"of Query only":     func(c *projection.Config[*memTx]) { c.Query.Limit = 7 },
		"count is negative": func(c *projection.Config[*memTx]) { c.Retries = -1 },
		"duration":          func(c *projection.Config[*memTx]) { c.Restart = -1 },
		"strategy":          func(c *projection.Config[*memTx]) { c.OnFailure = 9 },
		"dead letter topic": func(c *projection.Config[*memTx]) { c.DeadLetterTopic = "ö" },
		"exclude":           func(c *projection.Config[*memTx]) { c.Workers, c.Slices = 1, []journal.SliceRange{{Min: 0, Max: 1}} },
		"there are 1024":    func(c *projection.Config[*memTx]) { c.Workers = 2000 },
		"slices 5-2":        func(c *projection.Config[*memTx]) { c.Slices = []journal.SliceRange{{Min: 5, Max: 2}} },
		"overlap": func(c *projection.Config[*memTx]) {
			c.Slices = []journal.SliceRange{{Min: 0, Max: 5}, {Min: 5, Max: 9}}
		},
		"cannot copy": func(c *projection.Config[*memTx]) { c.Tables = []string{"t"} },
		"outside": func(c *projection.Config[*memTx]) {
			c.Handler, c.Tables, c.Outside = nil, []string{"t"}, func(context.Context, []projection.Envelope) error { return nil }
		},
	} {
		c := ok()
		change(&c)
		if _, err := projection.New(newMemStore(), newMemJournal(), c); !errors.Is(err, projection.ErrConfig) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := projection.New(newMemStore(), onlyReader{newMemJournal()}, ok()); !errors.Is(err, projection.ErrConfig) {
		t.Errorf("a source that cannot fill gaps: %v", err)
	}
	states := ok()
	states.Query.Kind = journal.States
	if _, err := projection.New(newMemStore(), onlyReader{newMemJournal()}, states); err != nil {
		t.Errorf("states have no gaps: %v", err)
	}
}

// onlyReader hides what else a journal can.
type onlyReader struct{ journal.Reader }
