# Words in a hash of lists, sorted, and taken apart by regular expressions.
use strict;
use warnings;

my $count = shift;
my (%places, $state);
$state = 1;
for my $number (1 .. $count) {
    $state = ($state * 1103515245 + 12345) % 2147483648;
    push @{$places{'word' . $state % ($count / 4 + 1)}}, "line $number";
}
my @order = sort { @{$places{$b}} <=> @{$places{$a}} || $a cmp $b } keys %places;
my $text = join "\n", map { "$_: " . join(', ', @{$places{$_}}) } @order;
my %ends;
$ends{$1} .= "$2;" while $text =~ /(\d)\b[^\n]*?line (\d+)$/mg;
(my $changed = $text) =~ s/line (\d+)/sprintf('%x', $1)/ge;
print scalar(@order), ' ', length($text), ' ', length($changed), "\n";
print "$_ ", length($ends{$_}), "\n" for sort keys %ends;
