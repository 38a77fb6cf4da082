// Package domain is what a member's points are and how business transactions move
// them: no Kafka, no SQL, no clock.
package domain

import (
	"fmt"
	"math"
)

// Member of the library.
type Member struct {
	No int64
	// ID is what messages call the member.
	ID, Name, Email string
	// Points are never below 0.
	Points int64
}

// move is the member with so many points more, or fewer where below 0; refusal says
// why that cannot be.
func (m Member) move(points int64) (after Member, refusal string) {
	switch {
	case points > 0 && m.Points > math.MaxInt64-points:
		return m, fmt.Sprintf("%s has no room for %d more points", m.ID, points)
	case points < 0 && m.Points+points < 0: // Points are not negative: no overflow
		return m, fmt.Sprintf("not enough points: %s has %d", m.ID, m.Points)
	}
	m.Points += points
	return m, ""
}
