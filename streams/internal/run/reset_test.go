package run

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
)

func TestResetBeginsAnew(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 3, "in", "out")
		cfg := configure(t, k)
		in, out := client(t, k), newOutput(t, k)
		r := begin(t, cfg)
		feed(t, k, in, 200)
		out.await(t, 200)
		if _, err := Reset(deadline(t), cfg, false); !errors.Is(err, ErrMembers) {
			t.Errorf("with a member: %v", err)
		}
		if err := r.CleanUp(); err == nil {
			t.Error("cleaned up while it runs")
		}
		stop(t, r)
		changelog := k.Topic("app-counts-changelog")
		p, err := Reset(deadline(t), cfg, true)
		if err != nil || !slices.Contains(p.Deleted, changelog) {
			t.Fatalf("%+v: %v", p, err)
		}
		if _, err := Reset(deadline(t), cfg, false); err != nil {
			t.Fatal(err)
		}
		if err := New(cfg).CleanUp(); err != nil {
			t.Fatal(err)
		}
		testenv.Wait(t, "the changelog is deleted", 30*time.Second, func() bool {
			known, err := countPartitions(deadline(t), in)
			return err == nil && known[changelog] == 0
		})
		begin(t, cfg)
		clear(out.last) // counts begin at 1 again
		out.await(t, 400)
	})
}

func TestMissingSourceTopicIsNamed(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		r := New(configure(t, k))
		err := r.Start(deadline(t))
		if !errors.Is(err, ErrLayout) || !strings.Contains(err.Error(), k.Topic("in")) {
			t.Errorf("it says %v", err)
		}
		if r.State() != Errored {
			t.Errorf("it is %s", r.State())
		}
	})
}
