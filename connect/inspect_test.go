package connect_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// inspected is a source with a slot, until it is dropped.
type inspected struct {
	numbers
	dropped atomic.Bool
	fails   atomic.Bool
}

func (s *inspected) Inspect(_ context.Context, cfg config.Values) (plugin.Inspection, error) {
	if s.fails.Load() {
		return plugin.Inspection{}, errors.New("the database says no to " + cfg.String("code"))
	}
	out := plugin.Inspection{Server: "db:1", Slots: []plugin.Slot{{Name: "other"}}}
	if !s.dropped.Load() {
		out.Slots = append(out.Slots, plugin.Slot{Name: "mine", Own: true, RetainedBytes: 5})
	}
	return out, nil
}

// TestReports: how far tasks are, how their databases stand, also of a connector that is stopped,
// and of one that is deleted until its slot is gone.
func TestReports(t *testing.T) {
	t.Setenv("INSPECTED_CODE", "opensesame")
	s := &inspected{}
	k := kafkatest.Start(t).Config
	w := start(t, k, "one", s)
	ctx := t.Context()
	if _, err := w.Create(ctx, "c", map[string]string{"connector.class": numbersClass, "topic": "numbers", "code": "${env:INSPECTED_CODE}"}, ""); err != nil {
		t.Fatal(err)
	}
	const wait = time.Minute
	testenv.Wait(t, "the task and its database to be known", wait, func() bool {
		r := w.Reports()
		return len(r.Tasks) == 1 && r.Tasks[0].Events == 1000 && len(r.Databases) == 1 && len(r.Databases[0].Slots) == 2
	})
	other := start(t, k, "two", s) // wherever the task is then, both know of it
	testenv.Wait(t, "both workers to know", wait, func() bool {
		a, b := w.Reports(), other.Reports()
		return len(a.Tasks) == 1 && len(b.Tasks) == 1 && len(a.Databases) == 1 && len(b.Databases) == 1 && a.Tasks[0].WorkerID == b.Tasks[0].WorkerID && len(b.Databases[0].Slots) == 2
	})
	if err := other.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "the one that is left to have them", wait, func() bool {
		r := w.Reports()
		return len(r.Tasks) == 1 && r.Tasks[0].WorkerID == "one" && len(r.Databases) == 1 && r.Databases[0].WorkerID == "one"
	})
	var text bytes.Buffer
	w.WriteMetrics(&text)
	for _, line := range []string{`pabal_connect_source_events{connector="c",task="0"}`, `pabal_connect_slot_retained_bytes{connector="c",slot="mine",server="db:1"} 5`, `pabal_connect_slot_active{connector="c",slot="mine",server="db:1"} 0`, "pabal_connect_source_records_total"} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("the metrics have no %s:\n%s", line, &text)
		}
	}
	if err := w.SetTarget(ctx, "c", connect.Stopped); err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "no task to be there", wait, func() bool { r := w.Reports(); return len(r.Tasks) == 0 && len(r.Databases) == 1 })
	if err := w.Delete(ctx, "c"); err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "its slot to be known as a deleted connector's", wait, func() bool {
		r := w.Reports()
		return len(r.Databases) == 1 && r.Databases[0].Deleted
	})
	s.dropped.Store(true)
	testenv.Wait(t, "nothing to be left of it", wait, func() bool { return len(w.Reports().Databases) == 0 })
	s.fails.Store(true)
	if _, err := w.Create(ctx, "d", map[string]string{"connector.class": numbersClass, "topic": "numbers", "code": "${env:INSPECTED_CODE}"}, ""); err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "the database's problem to be known, without the secret", wait, func() bool {
		r := w.Reports()
		return len(r.Databases) == 1 && strings.Contains(r.Databases[0].Problem, "says no") && !strings.Contains(r.Databases[0].Problem, "opensesame")
	})
}
