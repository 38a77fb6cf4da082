package outbox

import "testing"

// A prepared writer's name is another one after a restart of the database.
func TestLowWaterWaitsForPreparedWriters(t *testing.T) {
	var w lowWater
	w.observe(Horizon{LastID: 5, Writers: []string{"4/2"}})
	w.observe(Horizon{LastID: 7, Writers: []string{"-1/726"}, Prepared: true})
	if w.final != 0 {
		t.Fatalf("ids up to %d are final, while a prepared transaction may be writer 4/2", w.final)
	}
	w.observe(Horizon{LastID: 8, Writers: []string{"5/1"}})
	if w.final != 5 {
		t.Errorf("ids up to %d are final, want 5", w.final)
	}
}
