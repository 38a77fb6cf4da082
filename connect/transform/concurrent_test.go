package transform_test

import (
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// TestChainsAreShared: a chain may be used by many goroutines, which meet in its caches.
func TestChainsAreShared(t *testing.T) {
	v := outboxRow(`{"a":{"b":1}}`)
	e := change("c", v.Schema, nil, v)
	for class, settings := range map[string]string{
		eventRouter:                                   "table.expand.json.payload=true; table.fields.additional.placement=type:envelope",
		newRecordState:                                "delete.tombstone.handling.mode=rewrite; add.fields=op; add.headers=op",
		mongoRouter:                                   "collection.expand.json.payload=true",
		newDocumentState:                              "flatten.struct=true",
		kafka + "InsertField$Value":                   "topic.field=x",
		kafka + "TimestampConverter$Key":              "target.type=unix",
		"io.debezium.transforms.Filter":               "language=expr; condition=value.op == 'c'",
		"io.debezium.transforms.ToLogicalTopicRouter": "topic.regex=(.*); topic.replacement=x.$1",
	} {
		c := chain(t, options(class, settings))
		var all sync.WaitGroup
		schemas := make([]any, 8)
		for i := range schemas {
			all.Go(func() {
				r := record(e)
				if class == mongoRouter || class == newDocumentState {
					r = mongoChange("c", "", event, "")
				}
				if keep, err := c.Apply(&r); err != nil || !keep {
					t.Errorf("%s: %v, %v", class, keep, err)
				}
				schemas[i] = r.ValueSchema
			})
		}
		all.Wait()
		for _, s := range schemas {
			if s != schemas[0] && class != mongoRouter && class != newDocumentState { // whose envelopes are new each time here
				t.Errorf("%s made several schemas of one", class)
			}
		}
	}
	var none plugin.Record
	if keep, err := chain(t, nil).Apply(&none); !keep || err != nil {
		t.Errorf("a chain of nothing: %v, %v", keep, err)
	}
}
