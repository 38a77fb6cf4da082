package streams

import (
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// SourceTopics are the full names of the topics that the tasks of an application read.
func SourceTopics(t *Topology, k kafka.Config, application string) (all []string) {
	names := plan.Names{Prefix: k.Prefix, Application: application}
	for _, sub := range t.Plan().Subs {
		for _, n := range sub.Sources() {
			for _, topic := range n.Topics {
				all = append(all, names.Topic(topic))
			}
		}
	}
	return all
}
