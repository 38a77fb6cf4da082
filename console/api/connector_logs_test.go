package api

import (
	"strings"
	"testing"
)

func TestJudgeLog(t *testing.T) {
	for state, rule := range map[string]string{"": "", "kept": "", "expiring": "log-expiring", "lost": "log-lost"} {
		l := ConnectorLog{Connector: "c", Server: "db:3306", Kind: "binary log", Next: "b.2"}
		if l.Judge(state); l.Rule != rule || (l.Problem == "") != (rule == "") {
			t.Errorf("%q: %+v", state, l)
		}
		for _, text := range []string{"connector c", "b.2", "binlog_expire_logs_seconds"} {
			if rule != "" && !strings.Contains(l.Problem, text) {
				t.Errorf("%q does not say %q", l.Problem, text)
			}
		}
	}
}
