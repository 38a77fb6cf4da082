package run

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

func sub(id int32, sources []plan.Topic, sinks []plan.Topic, together ...[]plan.Topic) *plan.Sub {
	return &plan.Sub{ID: id, Copartitioned: together, Nodes: []*plan.Node{
		{Name: "source", Kind: plan.SourceNode, Topics: sources}, {Name: "sink", Kind: plan.SinkNode, Topics: sinks},
	}}
}

func TestLayout(t *testing.T) {
	a, b := plan.Topic{Name: "a"}, plan.Topic{Name: "b"}
	r, s := plan.Topic{Name: "r", Repartition: true}, plan.Topic{Name: "s", Repartition: true}
	five := plan.Topic{Name: "r", Repartition: true, Partitions: 5}
	known := map[string]int32{"x-a": 4, "x-b": 6}
	for _, c := range []struct {
		name  string
		subs  []*plan.Sub
		known map[string]int32
		want  map[string]int32 // partitions
		wrong string
	}{
		{name: "as many as the writer's sources", subs: []*plan.Sub{sub(0, []plan.Topic{a, b}, []plan.Topic{r}), sub(1, []plan.Topic{r}, nil)},
			want: map[string]int32{"x-a": 4, "x-b": 6, "x-app-r-repartition": 6}},
		{name: "as many as what it is joined with", subs: []*plan.Sub{sub(0, []plan.Topic{b}, []plan.Topic{r}), sub(1, []plan.Topic{r, a}, nil, []plan.Topic{r, a})},
			want: map[string]int32{"x-a": 4, "x-b": 6, "x-app-r-repartition": 4}},
		{name: "two repartition topics get the larger number", subs: []*plan.Sub{
			sub(0, []plan.Topic{a}, []plan.Topic{r}), sub(1, []plan.Topic{b}, []plan.Topic{s}), sub(2, []plan.Topic{r, s}, nil, []plan.Topic{r, s})},
			want: map[string]int32{"x-a": 4, "x-b": 6, "x-app-r-repartition": 6, "x-app-s-repartition": 6}},
		{name: "a number that was given holds", subs: []*plan.Sub{sub(0, []plan.Topic{a}, []plan.Topic{five}), sub(1, []plan.Topic{five}, nil)},
			want: map[string]int32{"x-a": 4, "x-app-r-repartition": 5}},
		{name: "missing", subs: []*plan.Sub{sub(0, []plan.Topic{a, {Name: "c"}}, nil)}, wrong: "x-c does not exist"},
		{name: "not copartitioned", subs: []*plan.Sub{sub(0, []plan.Topic{a, b}, nil, []plan.Topic{a, b})}, wrong: "x-a has 4"},
		{name: "a number that was given does not fit", subs: []*plan.Sub{sub(0, []plan.Topic{a, five}, nil, []plan.Topic{a, five})}, wrong: "as many partitions"},
		{name: "a circle", subs: []*plan.Sub{sub(0, []plan.Topic{r}, []plan.Topic{r})}, wrong: "circle"},
		{name: "an internal topic of another number", subs: []*plan.Sub{sub(0, []plan.Topic{a}, []plan.Topic{r}), sub(1, []plan.Topic{r}, nil)},
			known: map[string]int32{"x-app-r-repartition": 2}, wrong: "has 2 partitions and needs 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := maps.Clone(known)
			maps.Copy(all, c.known)
			l, err := newLayout(&plan.Topology{Subs: c.subs}, plan.Names{Prefix: "x-", Application: "app"}, all)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil || !maps.Equal(l.partitions, c.want) {
				t.Errorf("got %v, %v", l.partitions, err)
			}
		})
	}
}

func TestConfigurationOfInternalTopics(t *testing.T) {
	windowed := changelogConfig(&plan.Store{Windowed: true, Retention: time.Hour, ChangelogConfig: map[string]string{"segment.bytes": "1"}})
	if windowed["cleanup.policy"] != "compact,delete" || windowed["retention.ms"] != "90000000" || windowed["segment.bytes"] != "1" {
		t.Errorf("%v", windowed)
	}
	if c := changelogConfig(&plan.Store{}); c["cleanup.policy"] != "compact" || c["retention.ms"] != "" {
		t.Errorf("%v", c)
	}
}

func TestMemoryIsDividedWhole(t *testing.T) {
	for _, total := range []int64{MinMemory, 256<<20 + 7} {
		b := divide(total)
		if sum := b.fetch + b.queues + b.restore + b.produce + b.disk + b.stores; sum != total {
			t.Errorf("%d of %d", sum, total)
		}
	}
}
