package streams

import (
	"fmt"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Changelog is the topic, by its local name, that has every change of a store of an
// application: what a sink reads. Of a table that is read from a topic it is that topic.
func (t *Topology) Changelog(applicationID, store string) (string, error) {
	names := plan.Names{Application: applicationID}
	for _, sub := range t.plan.Subs {
		for _, s := range sub.Stores {
			if s.Name != store {
				continue
			}
			if topic := names.Changelog(s); topic != "" {
				return topic, nil
			}
			return "", fmt.Errorf("store %s is not logged: it has no changelog", store)
		}
	}
	for _, g := range t.plan.Globals {
		if g.Store.Name == store {
			return names.Topic(g.Topic), nil
		}
	}
	return "", fmt.Errorf("%w: %q", ErrNoStore, store)
}
