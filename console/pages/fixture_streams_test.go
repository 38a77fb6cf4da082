package pages_test

import (
	"context"
	"encoding/json"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/streams"
)

var (
	windowStart, windowEnd = int64(1772366400000), int64(1772366460000)
	streamsStatus          = admin.StreamsStatus{
		Application: "visits", State: "ERROR", Problem: "topic shop.visits partition 1 offset 7: it is not JSON", Paused: true, Workers: 2, Rate: 12.5, Lag: 42, Records: 9000, Commits: 7, Aborts: 1, CommitMs: 3.5,
		MemoryBytes: 1 << 20, MemoryLimit: 64 << 20, DiskBytes: 5 << 20,
		Tasks: []admin.StreamsTask{{Task: "0_1", Worker: 1, State: "running", Lag: 42, Processed: 9000, Produced: 8000, Skipped: 1, DeadLetters: 2, StreamTime: before(30),
			Dropped: []admin.StreamsDrop{{Node: "KSTREAM-AGGREGATE-0000000003", Reason: "late", Count: 3}},
			Inputs:  []admin.StreamsInput{{Topic: "shop.visits", Partition: 1, Position: 7, End: 49, Queued: 5}}, Stores: []admin.StreamsStore{{Name: "totals", Keys: 12, Bytes: 4 << 20}}}},
		Nodes:    []admin.StreamsNode{{Name: "KSTREAM-SOURCE-0000000000", Count: 9000, Rate: 12.5}},
		Globals:  []admin.StreamsGlobal{{Store: "pages", Topic: "shop.pages", Keys: 3, Bytes: 90}},
		Restores: []admin.StreamsRestore{{Task: "0_2", Store: "totals", Topic: "shop.visits-totals-changelog", Records: 300, Lag: 100, Problem: "the broker is away"}, {Task: "0_0", Store: "totals", Standby: true, Lag: -1}},
	}
	streamsApp = api.StreamsApp{
		StreamsSummary: api.StreamsSummary{Application: "shop.visits", ID: "visits", Services: []string{"web"}, State: "failed", Instances: 1, Workers: 2, Tasks: 1, Restoring: 1, Lag: 42, Rate: 12.5, Records: 9000,
			Dropped: 3, DeadLetters: 2, MemoryBytes: 1 << 20, DiskBytes: 5 << 20, Problems: []string{"web-1: it is not JSON"}},
		Parts: []api.StreamsInstance{{Service: "web", Instance: "web-1", StreamsStatus: streamsStatus}}, TopologyProblem: "it is not known", Away: []string{"web web-2: connection refused"},
		Topology: &admin.StreamsTopology{Application: "visits", Description: "Topologies:\n   Sub-topology: 0", Graph: streams.Graph{
			Nodes: []streams.GraphNode{{Name: "KSTREAM-SOURCE-0000000000", Kind: "Source", Topics: []string{"visits"}}, {Name: "KSTREAM-AGGREGATE-0000000003", Kind: "Processor", Stores: []string{"totals"}},
				{Name: "KSTREAM-SINK-0000000004", Kind: "Sink", Topics: []string{"by-page-repartition"}}, {Name: "KSTREAM-SOURCE-0000000005", Kind: "Source", Sub: 1, Topics: []string{"by-page-repartition"}},
				{Name: "KSTREAM-SOURCE-0000000006", Kind: "Source", Sub: 2, Global: true, Topics: []string{"pages"}, Stores: []string{"pages"}}},
			Edges:  []streams.GraphEdge{{From: "KSTREAM-SOURCE-0000000000", To: "KSTREAM-AGGREGATE-0000000003"}, {From: "KSTREAM-AGGREGATE-0000000003", To: "KSTREAM-SINK-0000000004"}},
			Stores: []streams.GraphStore{{Name: "totals", Kind: "key-value", Persistent: true, Logged: true}, {Name: "pages", Kind: "key-value", Global: true}},
			Topics: []streams.GraphTopic{{Name: "visits"}, {Name: "pages"}, {Name: "by-page-repartition", Internal: true}}},
			Stores: []streams.StoreInfo{{Name: "totals", Kind: "key-value", Places: []streams.Place{{Active: &streams.Host{Process: "p", Local: true}}}}}},
	}
	storePage = admin.StorePage{Next: "more+/=", Masked: []string{"card"}, Entries: []admin.StoreEntry{
		{Key: json.RawMessage(`"page/1"`), Value: json.RawMessage(`{"n":4,"card":"•••"}`), Timestamp: windowStart, WindowStart: &windowStart, WindowEnd: &windowEnd},
		{Key: json.RawMessage(`7`), Value: json.RawMessage(`null`), Error: "it is no JSON"},
	}}
)

func (f fake) StreamsApps(ctx context.Context) (api.StreamsList, error) {
	return answer(ctx, f, api.StreamsList{Items: []api.StreamsSummary{streamsApp.StreamsSummary}, Problems: []string{"mail mail-1: not allowed"}})
}

func (f fake) StreamsApp(ctx context.Context, _ string) (api.StreamsApp, error) {
	return answer(ctx, f, streamsApp)
}

func (f fake) QueryStore(ctx context.Context, _ api.StoreQuery) (admin.StorePage, error) {
	return answer(ctx, f, storePage)
}

func (f fake) PauseStreams(ctx context.Context, _ api.PauseStreams) (api.Count, error) {
	return answer(ctx, f, api.Count{Count: 1})
}

func (f fake) ResetStreams(ctx context.Context, r api.ResetStreams) (api.StreamsReset, error) {
	return answer(ctx, f, api.StreamsReset{Application: r.Application})
}
