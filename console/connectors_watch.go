package console

import (
	"context"

	"github.com/pabal-dev/pabal/console/api"
)

// watchedLens adds what is wrong with connectors and their databases to the violations.
type watchedLens struct {
	api.Lens
	watch func(context.Context) (api.ConnectorList, error)
}

func (l watchedLens) Violations(ctx context.Context) ([]api.Violation, error) {
	all, err := l.Lens.Violations(ctx)
	if err != nil {
		return all, err
	}
	list, err := l.watch(ctx)
	if err != nil {
		return append(all, api.Violation{Rule: "connectors-away", What: "The connectors cannot be asked: " + err.Error()}), nil
	}
	return append(all, list.Violations()...), nil
}
