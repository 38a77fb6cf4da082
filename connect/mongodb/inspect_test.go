package mongodb

import (
	"testing"

	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func TestOplogOf(t *testing.T) {
	ts := func(seconds uint32) bson.Timestamp { return bson.Timestamp{T: seconds, I: 1} }
	for _, c := range []struct {
		at     bson.Timestamp
		state  plugin.LogState
		behind int64
	}{
		{bson.Timestamp{}, "", -1}, {ts(50), plugin.LogLost, 150}, {ts(110), plugin.LogExpiring, 90}, {ts(150), plugin.LogKept, 50}, {ts(200), plugin.LogKept, 0},
	} {
		if got := oplogOf(ts(100), ts(200), c.at, true); got.State != c.state || got.BehindSeconds != c.behind || got.KeptSeconds != 100 {
			t.Errorf("at %v: %+v", c.at, got)
		}
	}
	if got := oplogOf(ts(100), ts(200), ts(110), false); got.State != plugin.LogKept {
		t.Errorf("of one that is not full: %+v", got)
	}
	if got := oplogOf(ts(100), ts(100), ts(100), true); got.State != plugin.LogKept {
		t.Errorf("of a new replica set: %+v", got)
	}
}
