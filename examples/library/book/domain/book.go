// Package domain is what a book is, who holds it, and how it takes part in rents and
// returns: no Kafka, no SQL, no clock.
package domain

import (
	"errors"
	"fmt"
)

// Book of the library. It has at most one holder.
type Book struct {
	No                  int64
	Title, Author, ISBN string
	Status              Status
	// Holder is the member who has it, RentalID the rent by which; empty unless it is
	// UNAVAILABLE.
	Holder, RentalID string
}

// Status of a book: ENTERED -> AVAILABLE <-> UNAVAILABLE.
type Status string

// The states.
const (
	Entered     Status = "ENTERED"   // it is not lent yet
	Available   Status = "AVAILABLE" // it can be rented
	Unavailable Status = "UNAVAILABLE"
)

// Enter is a new book.
func Enter(no int64, title, author, isbn string) Book {
	return Book{No: no, Title: title, Author: author, ISBN: isbn, Status: Entered}
}

// ErrNotEntered: a book is made available once.
var ErrNotEntered = errors.New("it was made available before")

// MakeAvailable lets members rent it.
func (b Book) MakeAvailable() (Book, error) {
	if b.Status != Entered {
		return b, ErrNotEntered
	}
	b.Status = Available
	return b, nil
}

// rent gives the book to a member; refusal says why not.
func (b Book) rent(member, rentalID string) (after Book, refusal string) {
	switch {
	case b.Status == Entered:
		return b, fmt.Sprintf("book %d is not available yet", b.No)
	case b.Status == Unavailable && b.Holder == member:
		return b, fmt.Sprintf("%s has book %d already", member, b.No)
	case b.Status == Unavailable:
		return b, fmt.Sprintf("another member has book %d", b.No)
	}
	b.Status, b.Holder, b.RentalID = Unavailable, member, rentalID
	return b, ""
}

// takeBack takes the book from a member. Where the rent is named, it must be by that
// one that the member has it.
func (b Book) takeBack(member, rentalID string) (after Book, refusal string) {
	if b.Holder != member || member == "" || rentalID != "" && rentalID != b.RentalID {
		return b, fmt.Sprintf("%s does not have book %d", member, b.No)
	}
	return b.free(), ""
}

func (b Book) free() Book {
	b.Status, b.Holder, b.RentalID = Available, "", ""
	return b
}
