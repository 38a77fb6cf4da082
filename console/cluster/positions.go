package cluster

import (
	"context"
	"sync"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
)

// standing is where a consumer of a service stands by its database, which is the
// truth: the offsets in Kafka are a copy.
type standing struct {
	offsets []api.GroupOffset // nil where the database could not be asked
	err     error
}

// maxAsked services at the same time.
const maxAsked = 8

// positions asks the services whose consumers are among those groups. A service that
// hangs leaves time for the questions to Kafka that come after.
func (c *Cluster) positions(ctx context.Context, names []string, own map[string]consumer) map[string]standing {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout/2)
	defer cancel()
	out := map[string]standing{}
	var mu sync.Mutex
	var all sync.WaitGroup
	places := make(chan struct{}, maxAsked)
	for _, name := range names {
		who, ok := own[name]
		if !ok {
			continue
		}
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			s := c.standing(ctx, who)
			mu.Lock()
			defer mu.Unlock()
			out[name] = s
		})
	}
	all.Wait()
	return out
}

func (c *Cluster) standing(ctx context.Context, who consumer) standing {
	service, err := c.services.at(ctx, who.service)
	if err != nil {
		return standing{err: ofService(who.service, err)}
	}
	positions, err := service.Positions(ctx, who.name)
	if err != nil {
		return standing{err: ofService(who.service, err)}
	}
	all, err := c.allTopics(ctx)
	if err != nil {
		return standing{err: err}
	}
	description, err := c.Cluster(ctx)
	if err != nil {
		return standing{err: err}
	}
	return standing{offsets: offsetsOf(who, positions, all, description.ID)}
}

// offsetsOf are the positions in the topics as they are today: in all of their
// partitions, -1 where nothing was handled yet. The database also has those of
// clusters and topics of the past.
func offsetsOf(who consumer, positions []inbox.Position, all *metadata, cluster string) []api.GroupOffset {
	lowest := map[place]int64{}
	for _, p := range positions {
		t := all.byName[who.prefix+p.Topic]
		if t != nil && p.TopicID == t.idText() && (cluster == "" || p.Cluster == cluster) {
			lowest[place{t.name, p.Partition.Partition}] = p.Lowest()
		}
	}
	out := []api.GroupOffset{}
	for _, local := range who.topics {
		t := all.byName[who.prefix+local]
		if t == nil {
			continue
		}
		for _, n := range t.numbers() {
			o := api.GroupOffset{Topic: t.name, Partition: n, Committed: -1, Truth: "database"}
			if at, ok := lowest[place{t.name, n}]; ok {
				o.Committed = at
			}
			out = append(out, o)
		}
	}
	return out
}
