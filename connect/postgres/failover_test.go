package postgres

import (
	"errors"
	"testing"
)

func TestFailoverNeeds(t *testing.T) {
	for version, fails := range map[string]bool{"15.18 (Debian 15.18-0+deb12u1)": true, "16.4": true, "17.0": false, "18beta1": false, "": false} {
		if err := failoverNeeds(true, version); errors.Is(err, ErrSetup) != fails {
			t.Errorf("%s: %v", version, err)
		}
		if err := failoverNeeds(false, version); err != nil {
			t.Errorf("%s without it: %v", version, err)
		}
	}
}
