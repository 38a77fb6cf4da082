package mongodb_test

import (
	"testing"

	"github.com/pabal-dev/pabal/connect/mongodb"
	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// TestInspectLog: where the connector is in the server's oplog.
func TestInspectLog(t *testing.T) {
	db := newDatabase(t)
	cfg := settingsFor(t, db)
	insert(t, db.Collection("a"), bson.D{{Key: "_id", Value: 1}})
	r := open(t, cfg, nil)
	r.next()
	values, problems := mongodb.Source{}.Info().Config.Parse(cfg)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	found, err := mongodb.Source{}.InspectLog(t.Context(), values, r.stored)
	if err != nil || found.Log == nil || found.Server == "" || found.Log.Next == "" || found.Log.First == "" || found.Log.State == plugin.LogLost {
		t.Errorf("%+v, %+v, %v", found, found.Log, err)
	}
	if found, err = (mongodb.Source{}).InspectLog(t.Context(), values, nil); err != nil || found.Log.Next != "" || found.Log.Last == "" {
		t.Errorf("without a position: %+v, %v", found.Log, err)
	}
}
