//! The dialects, by documents in their documented shapes.
