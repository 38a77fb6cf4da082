package connect_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// waiter is a converter of values whose registry is away.
type waiter struct {
	converter.String
	asked, late *atomic.Bool
	closed      func() <-chan struct{}
	end         func()
}

func newWaiter(asked, late *atomic.Bool, open *atomic.Int64) *waiter {
	ctx, cancel := context.WithCancel(context.Background())
	open.Add(1)
	return &waiter{asked: asked, late: late, closed: ctx.Done, end: sync.OnceFunc(func() { cancel(); open.Add(-1) })}
}

func (w *waiter) Encode(string, *data.Schema, any) ([]byte, error) {
	w.asked.Store(true)
	select {
	case <-w.closed():
	case <-time.After(time.Minute):
		w.late.Store(true)
	}
	return nil, fmt.Errorf("%w: the registry is away", converter.ErrRetry)
}

func (w *waiter) Close() error { w.end(); return nil }

// TestStopWhileAConverterWaits: what it waits for ends with its task, and no converter stays open.
func TestStopWhileAConverterWaits(t *testing.T) {
	var asked, late atomic.Bool
	var open atomic.Int64
	waiting := plugin.ConverterPlugin{Info: plugin.Info{Class: "test.Waiter", Version: "1"}, New: func(config.Values, bool) (converter.Converter, error) {
		return newWaiter(&asked, &late, &open), nil
	}}
	w, err := connect.New(connect.Config{
		Kafka: kafkatest.Start(t).Config, ID: "a", Logger: slog.New(slog.DiscardHandler),
		Plugins: plugin.Set{Sources: []plugin.Source{&numbers{}}, Converters: append(converters.Plugins(), waiting), Headers: converters.Headers()},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	create(t, w, "waits", map[string]string{"connector.class": numbersClass, "topic": "n", "value.converter": "test.Waiter"})
	testenv.Wait(t, "the converter to wait", 30*time.Second, asked.Load)
	if err := w.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	if late.Load() || open.Load() != 0 {
		t.Errorf("it was waited for (%v), or %d converters are open", late.Load(), open.Load())
	}
}
