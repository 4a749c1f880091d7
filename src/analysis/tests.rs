//! Sentences about small trees of source code.


