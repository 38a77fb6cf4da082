package mysql_test

import (
	"testing"

	"github.com/pabal-dev/pabal/connect/mysql"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// TestInspectLog: where the connector is in the server's binary logs.
func TestInspectLog(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)")
	r := s.open(nil)
	offset := throughJSON(t, r.Take(1)[0].At.Offset())
	r.Close()
	s.exec("FLUSH BINARY LOGS", "INSERT INTO a VALUES (2)")
	found, err := mysql.MariaDB{}.InspectLog(t.Context(), s.values(), offset)
	if err != nil || found.Log == nil || found.Log.State != plugin.LogKept || found.Log.BehindFiles < 1 || found.Log.BehindBytes <= 0 || found.Log.Next != offset["file"] {
		t.Errorf("%+v, %+v, %v", found, found.Log, err)
	}
	if found, err = (mysql.MariaDB{}).InspectLog(t.Context(), s.values(), nil); err != nil || found.Log.Next != "" || found.Log.Last == "" {
		t.Errorf("without a position: %+v, %v", found.Log, err)
	}
	offset["file"] = "binlog.none"
	if found, err = (mysql.MariaDB{}).InspectLog(t.Context(), s.values(), offset); err != nil || found.Log.State != plugin.LogLost {
		t.Errorf("of a file that was purged: %+v, %v", found.Log, err)
	}
}
