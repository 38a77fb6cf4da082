// Package domain is how rents of books are counted: no Kafka, no SQL, no clock.
package domain

// Rent is one rent as the view knows it.
type Rent struct {
	// ID is its correlation id.
	ID     string
	BookNo int64
	Status Status
}

// Status of a rent: COUNTED -> CANCELLED.
type Status string

// The states.
const (
	Counted   Status = "COUNTED"
	Cancelled Status = "CANCELLED" // also one that was cancelled before it came
)

// Follow is the rent that is known after one more message about it, and by how much
// the count of its book changes. A rent counts once, and not after its cancel.
func Follow(known *Rent, heard Rent) (after Rent, change int64) {
	switch {
	case known == nil && heard.Status == Counted:
		return heard, 1
	case known == nil:
		return heard, 0
	case known.Status == Counted && heard.Status == Cancelled:
		after = *known
		after.Status = Cancelled
		return after, -1
	}
	return *known, 0
}

// Best is a book and how often it was rented.
type Best struct {
	BookNo int64
	Title  string
	Rents  int64
}
