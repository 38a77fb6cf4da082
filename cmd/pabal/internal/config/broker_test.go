package config

import (
	"maps"
	"slices"
	"testing"
)

// TestDurability: what nobody asked for is the safest there can be.
func TestDurability(t *testing.T) {
	for _, tt := range []struct {
		flags map[string]string
		want  string
	}{
		{nil, Memory},
		{map[string]string{"data-dir": "d"}, Fsync},
		{map[string]string{"data-dir": "d", "durability": "OS"}, OS},
		{map[string]string{"data-dir": "d", "durability": "memory"}, Memory},
		{map[string]string{"durability": "memory"}, Memory},
	} {
		l, err := Load(input("", nil, tt.flags))
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Durability(); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.flags, got, tt.want)
		}
	}
}

// TestCommasWithinValues: flags and variables separate a list with commas, and values have some.
func TestCommasWithinValues(t *testing.T) {
	l, err := Load(input("broker: {users: u, acls: true}\n", []string{"PABAL_BROKER_SUPER_USERS=User:admin, User:CN=ops,O=shop"},
		map[string]string{"broker-setting": "log.cleanup.policy=compact,delete,log.retention.ms=-1,a="}))
	if err != nil {
		t.Fatal(err)
	}
	settings, err := l.Broker.Properties()
	if want := map[string]string{"log.cleanup.policy": "compact,delete", "log.retention.ms": "-1", "a": ""}; err != nil || !maps.Equal(settings, want) {
		t.Errorf("%v, %v, want %v", settings, err, want)
	}
	users, err := l.Broker.Principals()
	if want := []string{"User:admin", "User:CN=ops,O=shop"}; err != nil || !slices.Equal(users, want) {
		t.Errorf("%v, %v, want %v", users, err, want)
	}
}
