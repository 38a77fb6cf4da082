package pages

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/pabal-dev/pabal/console/api"
)

// brokerBody is a part of the pages about the broker in this process; Off says that it is
// elsewhere.
type brokerBody[T any] struct {
	Tab string
	Off bool
	part[T]
}

// brokerState is the first of them, with what Kafka's protocol tells of every broker.
type brokerState struct {
	brokerBody[api.BrokerState]
	Cluster part[api.Cluster]
}

// Lives says what an acknowledged record survives.
func (b brokerState) Lives() string {
	switch b.Value.Durability {
	case "fsync":
		return "An acknowledged record is on the disk: it survives a kill and a power cut."
	case "os":
		return "An acknowledged record survives the end and the kill of this process, but not a power cut."
	}
	return "Records are in memory: everything is gone when this process ends."
}

// Saved is how many bytes compaction has freed.
func (b brokerState) Saved() int64 {
	return max(0, b.Value.Compaction.BytesBefore-b.Value.Compaction.BytesAfter)
}

// requestLine is how often something was asked for.
type requestLine struct {
	Name  string
	Count int64
}

// Requests are the most frequent ones first.
func (b brokerState) Requests() (lines []requestLine) {
	for name, n := range b.Value.Traffic.Requests {
		lines = append(lines, requestLine{name, n})
	}
	slices.SortFunc(lines, func(x, y requestLine) int { return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Name, y.Name)) })
	return lines
}

func (h *handler) broker(ctx context.Context, _ *http.Request) (content, error) {
	b := brokerState{brokerBody: brokerBody[api.BrokerState]{Off: h.Engines.Broker == nil}}
	gather(
		func() {
			if !b.Off {
				b.part = ask(h.Engines.Broker.BrokerState(ctx))
			}
		},
		func() { b.Cluster = ask(h.Engines.Topics.Cluster(ctx)) },
	)
	return content{template: "broker", title: "Broker", section: "broker", body: b}, nil
}

type brokerTopics struct {
	brokerBody[api.Page[api.BrokerTopic]]
	Query api.TopicQuery
}

func (h *handler) brokerTopics(ctx context.Context, r *http.Request) (content, error) {
	b := brokerTopics{Query: api.TopicQuery{PageQuery: pageQuery(r), Internal: param(r, "internal") == "true"}}
	b.Tab, b.Off = "topics", h.Engines.Broker == nil
	c := content{template: "broker-topics", title: "Storage", section: "broker"}
	var err error
	if !b.Off {
		b.Value, err = h.Engines.Broker.BrokerTopics(ctx, b.Query)
		b.Problem = problemOf(err)
	}
	c.body = b
	return c, onlyFatal(err)
}

type brokerTransactions struct {
	brokerBody[api.Page[api.BrokerTransaction]]
	Query api.PageQuery
}

func (h *handler) brokerTransactions(ctx context.Context, r *http.Request) (content, error) {
	b := brokerTransactions{Query: pageQuery(r)}
	b.Tab, b.Off = "transactions", h.Engines.Broker == nil
	c := content{template: "broker-transactions", title: "Open transactions", section: "broker"}
	var err error
	if !b.Off {
		b.Value, err = h.Engines.Broker.BrokerTransactions(ctx, b.Query)
		b.Problem = problemOf(err)
	}
	c.body = b
	return c, onlyFatal(err)
}

// brokerTopic has the segments of one partition.
type brokerTopic struct {
	Name string
	part[api.BrokerTopicLog]
	Shown *api.BrokerPartition
	// Missing says that the partition asked for is not there.
	Missing bool
}

func (h *handler) brokerTopic(ctx context.Context, r *http.Request) (content, error) {
	b := brokerTopic{Name: r.PathValue("topic")}
	c := content{template: "broker-topic", title: b.Name + ", stored", section: "broker"}
	if h.Engines.Broker == nil {
		return c, errorf(api.ErrNotFound, "the broker is no part of this process: see the topic itself")
	}
	partition, err := partitionParam(r)
	if err != nil {
		return c, err
	}
	topic, err := h.Engines.Broker.BrokerTopic(ctx, b.Name)
	b.part = ask(topic, err)
	b.Shown = partitionOf(topic.Parts, partition)
	b.Missing = err == nil && b.Shown == nil && partition != nil
	c.body = b
	return c, onlyFatal(err)
}

// partitionOf is the first one where none is named.
func partitionOf(all []api.BrokerPartition, wanted *int32) *api.BrokerPartition {
	i := slices.IndexFunc(all, func(p api.BrokerPartition) bool { return wanted == nil || p.Partition == *wanted })
	if i < 0 {
		return nil
	}
	return &all[i]
}
