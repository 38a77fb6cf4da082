package console

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	streamsapp "github.com/pabal-dev/pabal/streams"
)

var anApplication = api.StreamsApp{
	StreamsSummary: api.StreamsSummary{Application: "p.visits", ID: "visits", Services: []string{"web"}, State: "failed", Instances: 1, Tasks: 1, Lag: 3, Rate: 1.5, Problems: []string{"i1: card 4111"}},
	Parts: []api.StreamsInstance{{Service: "web", Instance: "i1", StreamsStatus: admin.StreamsStatus{Application: "visits", State: "ERROR", Problem: "card 4111",
		Tasks:    []admin.StreamsTask{{Task: "0_1", State: "running", StreamTime: at0, Inputs: []admin.StreamsInput{{Topic: "payments", End: 9}}, Stores: []admin.StreamsStore{{Name: "totals", Keys: 2, Bytes: 9}}}},
		Nodes:    []admin.StreamsNode{{Name: "KSTREAM-SOURCE-0000000000", Count: 9, Rate: 1.5}},
		Restores: []admin.StreamsRestore{{Task: "0_1", Store: "totals", Problem: "card 4111"}}}}},
	Topology: &admin.StreamsTopology{Application: "visits", Description: "Topologies:", Stores: []streamsapp.StoreInfo{{Name: "totals", Kind: "key-value", Places: []streamsapp.Place{}}},
		Graph: streamsapp.Graph{Topics: []streamsapp.GraphTopic{{Name: "payments"}, {Name: "x-repartition", Internal: true}}}},
}

func (f *fake) StreamsApps(ctx context.Context) (api.StreamsList, error) {
	return called(f, ctx, "streams", api.StreamsList{Items: []api.StreamsSummary{anApplication.StreamsSummary}})
}

func (f *fake) StreamsApp(ctx context.Context, application string) (api.StreamsApp, error) {
	app := anApplication
	app.Parts = append([]api.StreamsInstance(nil), app.Parts...)
	return called(f, ctx, "application "+application, app)
}

func (f *fake) QueryStore(ctx context.Context, q api.StoreQuery) (admin.StorePage, error) {
	key := "none"
	if q.Key != nil {
		key = *q.Key
	}
	q.Key = nil
	return called(f, ctx, fmt.Sprintf("query store %+v key %s", q, key), admin.StorePage{Next: "more", Entries: []admin.StoreEntry{
		{Key: json.RawMessage(`"o1"`), Value: json.RawMessage(`{"card":"4111","total":5}`), Timestamp: 5},
		{Key: json.RawMessage(`"o2"`), Value: json.RawMessage(`7`), Error: "it is not 4111"},
	}})
}

func (f *fake) PauseStreams(ctx context.Context, p api.PauseStreams) (api.Count, error) {
	return called(f, ctx, fmt.Sprintf("pause streams %+v", p), api.Count{Count: 1})
}

func (f *fake) ResetStreams(ctx context.Context, r api.ResetStreams) (api.StreamsReset, error) {
	return called(f, ctx, fmt.Sprintf("reset streams %+v", r), api.StreamsReset{Application: r.Application, DryRun: r.DryRun, Moves: []api.ResetMove{}, Deleted: []string{"p.visits-x-repartition"}})
}
