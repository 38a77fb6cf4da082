package cluster_test

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/cluster"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
)

// TestThousands of topics and groups cost a page no more questions than ten do.
func TestThousands(t *testing.T) {
	n := testenv.Sized(2_000, 10_000)
	f, real, addr := behind(t)
	e := newEnv(t, real.Config, noServices)
	name := func(i int) string { return fmt.Sprintf("thing-%05d", i) }
	var names []string
	for i := range n {
		names = append(names, name(i))
	}
	begun := time.Now()
	for part := range 10 {
		if _, err := e.admin.CreateTopics(t.Context(), 1, 1, nil, names[part*n/10:(part+1)*n/10]...); err != nil {
			t.Fatal(err)
		}
	}
	var work sync.WaitGroup
	for part := range 20 {
		work.Go(func() {
			for i := part * n / 20; i < (part+1)*n/20; i++ {
				o := kadm.Offsets{}
				o.AddOffset(name(i), 0, 0, -1)
				if err := e.admin.CommitAllOffsets(t.Context(), name(i), o); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
	t.Logf("%d topics and groups were made in %s", n, time.Since(begun))

	c, err := cluster.New(kafka.Config{Brokers: []string{addr}}, cluster.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Stop(t.Context()) })
	for _, what := range []string{"first", "then"} {
		for _, cursor := range []string{"", name(n / 2), name(n - 60)} {
			begun := time.Now()
			topics, err := c.Topics(t.Context(), api.TopicQuery{PageQuery: api.PageQuery{Cursor: cursor}})
			if err != nil || len(topics.Items) != 50 || topics.Total != int64(n) || cursor != "" && topics.Items[0].Name <= cursor {
				t.Fatalf("%d topics of %d, %v", len(topics.Items), topics.Total, err)
			}
			tookTopics := time.Since(begun)
			begun = time.Now()
			groups, err := c.Groups(t.Context(), api.PageQuery{Cursor: cursor})
			if err != nil || len(groups.Items) != 50 || groups.Total != int64(n) || groups.Items[0].Lag != 0 {
				t.Fatalf("%d groups of %d, %v", len(groups.Items), groups.Total, err)
			}
			t.Logf("%s, after %q: topics %s, groups %s", what, cursor, tookTopics, time.Since(begun))
		}
	}
	last := name(n - 1)[len("thing-"):][:4]
	begun = time.Now()
	found, err := c.Topics(t.Context(), api.TopicQuery{PageQuery: api.PageQuery{Search: "G-" + last}})
	if err != nil || found.Total != 10 || !strings.HasPrefix(found.Items[0].Name, "thing-"+last) {
		t.Errorf("got %+v, %v", found, err)
	}
	t.Logf("search: %s", time.Since(begun))
	f.mu.Lock()
	t.Logf("requests: %v", f.counts)
	f.mu.Unlock()
	// 13 pages ask each question a few times, more often where answers grow old meanwhile; one
	// question for each of a page's 50 items would be 300.
	const most = 100
	for _, op := range []string{"Metadata", "ListGroups", "DescribeGroups", "OffsetFetch", "ListOffsets"} {
		if got := f.count(op); got == 0 || got > most {
			t.Errorf("%s was asked %d times, at most %d is right", op, got, most)
		}
	}
}
